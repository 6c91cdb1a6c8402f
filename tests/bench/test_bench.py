"""The quick bench runs and writes every name. It judges no time."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "catalogue_2000_ms", "tree_1000_ms", "distribute_500_cpu_s", "bulk_5000_preview_s", "bulk_5000_distribute_s",
    "home_1m_ms", "pdf_single_ms", "pdf_batch_ms_per_ticket", "scan_per_s", "pgbench_per_s", "scan_ratio",
    "scan_p99_ms", "scan_batch_per_s", "scan_double_admissions", "manifest_100k_s", "manifest_100k_kb",
    "seller_dashboard_10k_ms", "seller_dashboard_1m_ms",
}  # fmt: skip


def test_the_quick_bench_writes_every_measure(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "RELAIS_TEST_DB", "VAR_DIR")}

    subprocess.run([sys.executable, "-m", "bench", "--quick", "--to", tmp_path / "r.json"], cwd=ROOT, env=environment, check=True)

    found = json.loads((tmp_path / "r.json").read_text())
    assert set(found) == NAMES
    assert all(row["value"] >= 0 and set(row) == {"value", "unit", "limit", "note"} for row in found.values())


def test_the_committed_results_are_of_a_full_run_and_within_their_limits():
    found = json.loads((ROOT / "bench/results.json").read_text())
    assert set(found) == NAMES
    for name, row in found.items():
        if row["limit"] is not None:
            at_least = name in ("scan_ratio", "scan_batch_per_s")
            assert row["value"] >= row["limit"] if at_least else row["value"] <= row["limit"], name
