"""`python -m bench [--quick] [--to FILE]`: measures what the issue of speed asks for, on this machine, in one run.

Times are of this machine: read ratios. Starts its own PostgreSQL, with fsync on, and leaves nothing behind.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from scripts import postgres

RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes: proves that it runs, judges nothing")
    parser.add_argument("--only", nargs="+", help="these alone, by the names of their functions; added to the results that are there")
    parser.add_argument("--to", type=Path, default=RESULTS)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="relais-bench-"))
    folder.chmod(0o755)
    port = postgres.free_port()
    postgres.initdb(folder / "pg")
    settings = ["shared_buffers=512MB", "max_wal_size=4GB"]
    log = (folder / "log").open("w")
    argv = [str(part) for part in postgres.command(folder / "pg", port, *settings)]
    server = subprocess.Popen(argv, stdout=log, stderr=log, **postgres.as_nobody())
    try:
        postgres.wait_until_ready(server, port)
        postgres.createdb(port, "relais")
        os.environ |= {
            "DEMO": "1",
            "DATABASE_URL": f"postgres://relais@127.0.0.1:{port}/relais",
            "VAR_DIR": str(folder / "var"),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "LOG_LEVEL": "CRITICAL",
            "STAFF_NEEDS_SECOND_FACTOR": "false",
        }
        for name in ("static", "queue", "queue-control"):
            (folder / "var" / name).mkdir(parents=True)
        import django

        django.setup()
        from bench import gate, measures

        chosen = [measure for measure in measures.ALL + gate.ALL if measure.__name__ in (options.only or measure.__name__)]
        found = measures.run(port, chosen, quick=options.quick)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
    if options.only and options.to.exists():
        found = json.loads(options.to.read_text()) | found
    options.to.write_text(json.dumps(found, indent=2) + "\n")
    for name, row in found.items():
        limit = f"limit {row['limit']}" if row["limit"] is not None else ""
        print(f"{name:24} {row['value']:>10} {row['unit']:10} {limit:14} {row['note']}")


if __name__ == "__main__":
    main()
