"""What can be known of the production files without a container engine."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from scripts.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
IMAGE = (ROOT / "Dockerfile").read_text()
ENV = (ROOT / ".env.example").read_text()
DOCUMENTED = set(re.findall(r"^#? ?([A-Z_]+)=", ENV, re.M))
LONG_RUNNING = {name: service for name, service in COMPOSE["services"].items() if name != "migrate"}


def test_every_variable_of_the_compose_file_is_documented():
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= DOCUMENTED


def test_every_variable_of_the_settings_is_documented_for_operators():
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "portal/settings.py").read_text()))
    assert read - DOCUMENTED == set()
    assert {name for name in read if name not in (ROOT / "docs/operate.md").read_text()} == set()


def test_images_have_fixed_tags_and_services_a_health_check_and_a_restart():
    for name, service in LONG_RUNNING.items():
        assert re.search(r":\d+(\.\d+)+", service["image"]), name
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service or name == "web"  # the image's own


def test_nothing_starts_before_what_it_needs():
    for name in ("web", "worker", "worker-login", "worker-print", "beat"):
        needs = COMPOSE["services"][name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["db"]["condition"] == needs["redis"]["condition"] == "service_healthy"


def test_every_queue_has_a_worker():
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {"celery"}
    commands = [service["command"] for name, service in LONG_RUNNING.items() if name.startswith("worker")]

    assert {command[command.index("-Q") + 1] for command in commands} == routed
    assert f'"{",".join(["celery", *sorted(routed - {"celery"})])}"' in (ROOT / "scripts/demo.py").read_text()


def test_the_image_runs_as_an_ordinary_user_with_locked_dependencies():
    assert re.search(r"^USER 10001$", IMAGE, re.M)
    assert IMAGE.count("--require-hashes") == 2
    assert all(re.search(r":\d", line) for line in re.findall(r"^FROM (\S+)", IMAGE, re.M))


def test_the_build_collects_hashed_static_files_where_the_libraries_of_the_tickets_are_not(tmp_path):
    found = re.search(r"SECRET_KEY=(?:.|\n)*?collectstatic --noinput", IMAGE)
    command = found[0].replace("/venv/bin/python", sys.executable).replace("/app/var", str(tmp_path / "var"))
    (tmp_path / "weasyprint.py").write_text("raise OSError('no pango in the build stage')")

    subprocess.run(["sh", "-c", command], cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}, check=True)

    manifest = json.loads((tmp_path / "var/static/staticfiles.json").read_text())["paths"]
    assert re.fullmatch(r"css/base\.[0-9a-f]{12}\.css", manifest["css/base.css"])
    assert "manage.py check" not in IMAGE.partition("libpango")[0]


def test_the_database_sorts_as_everywhere_else():
    assert "--builtin-locale=C.UTF-8" in COMPOSE["services"]["db"]["environment"]["POSTGRES_INITDB_ARGS"]


def test_the_compose_file_is_what_compose_reads():
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker's compose plugin is not here")
    made = "\n".join(f"{name}=x" for name in DOCUMENTED)
    done = subprocess.run([docker, "compose", "--env-file", "/dev/stdin", "config", "-q"], input=made, text=True, cwd=ROOT)
    assert done.returncode == 0


def good_environment() -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
        "SIGNING_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "PUBLIC_BASE_URL": "https://billets.example.fr",
        "ALLOWED_HOSTS": "billets.example.fr",
        "DATABASE_URL": "postgres://relais@db/relais",
        "REDIS_URL": "redis://redis/0",
        "EMAIL_URL": "smtp://mail:25",
        "DEFAULT_FROM_EMAIL": "billets@example.fr",
    }


def start(environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_missing_setting_has_its_line():
    done = start({"PATH": "/usr/bin:/bin"})

    assert done.returncode == 2
    missing = {line.partition(":")[0] for line in done.stderr.strip().splitlines()}
    assert missing == set(good_environment()) - {"PATH"}


def test_a_right_configuration_starts():
    assert start(good_environment()).returncode == 0


@pytest.mark.skipif(not shutil.which("curl"), reason="the image has curl, this machine has not")
def test_the_health_check_of_the_image_finds_the_web_that_the_image_starts(tmp_path):
    port = str(free_port())
    web, check = (json.loads(re.search(rf"^{name}.*?(\[.*\])$", IMAGE, re.M)[1]) for name in ("CMD", "HEALTHCHECK"))
    environment = good_environment() | {"DATABASE_URL": os.environ["DATABASE_URL"], "VAR_DIR": str(tmp_path)}
    argv = [str(Path(sys.executable).parent / web[0]), *(part.replace("8000", port) for part in web[1:])]
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        probe = [part.replace("8000", port) for part in check]
        while subprocess.run(probe, env=environment, capture_output=True).returncode:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
