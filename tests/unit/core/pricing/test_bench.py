"""The benchmark runs with whoever is installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def test_bench_measures_us(tmp_path: Path) -> None:
    """A short run prints a table for each task, with our own lines in them, and who is absent."""
    absent = tmp_path / "absent"
    absent.write_text("quantforge: wants Python [3.12]\n")
    command = [sys.executable, "-m", "bench", "pricing", "--rows", "2000", "--rounds", "1"]
    command += ["--absent", str(absent)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    for title in ("Premium", "Premium and seven greeks", "Implied volatility"):
        assert title in ran.stdout
    assert ran.stdout.count("options-agent kernel") == 3
    assert "0% lost; whole domain" in ran.stdout
    assert "of each" in ran.stdout
    assert "Not measured: quantforge: wants Python [3.12]" in ran.stdout
