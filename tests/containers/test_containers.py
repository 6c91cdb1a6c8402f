"""What can be known of the production files without a container engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
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
    for name in ("web", "worker", "worker-login", "beat"):
        needs = COMPOSE["services"][name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["db"]["condition"] == needs["redis"]["condition"] == "service_healthy"


def test_the_image_runs_as_an_ordinary_user_with_locked_dependencies():
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", text, re.M)
    assert text.count("--require-hashes") == 2
    assert all(re.search(r":\d", line) for line in re.findall(r"^FROM (\S+)", text, re.M))


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
    import sys

    return subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SECRET_KEY", "short"), ("PUBLIC_BASE_URL", "http://billets.example.fr"), ("DEBUG", "1"), ("DEBUG", "flase"),
     ("SECURE_COOKIES", "perhaps"), ("REDIS_URL", "filesystem://"), ("STAFF_NEEDS_SECOND_FACTOR", "0"), ("BEHIND_PROXIES", "many"),
     ("SIGNING_KEY", "not-a-key")],
)  # fmt: skip
def test_a_wrong_setting_stops_the_start_with_one_line_that_names_it(name, value):
    done = start(good_environment() | {name: value})

    assert done.returncode == 2
    assert [line.partition(":")[0] for line in done.stderr.strip().splitlines()] == [name]


def test_every_missing_setting_has_its_line():
    done = start({"PATH": "/usr/bin:/bin"})

    assert done.returncode == 2
    missing = {line.partition(":")[0] for line in done.stderr.strip().splitlines()}
    assert missing == set(good_environment()) - {"PATH"}


def test_a_right_configuration_starts():
    assert start(good_environment()).returncode == 0
