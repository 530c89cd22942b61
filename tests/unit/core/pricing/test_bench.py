"""The benchmark runs with whoever is installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def test_bench_measures_us() -> None:
    """A short run prints a table for each task, with our own lines in them."""
    command = [sys.executable, "-m", "bench", "--rows", "2000", "--rounds", "1"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    for title in ("Premium", "Premium and seven greeks", "Implied volatility"):
        assert title in ran.stdout
    assert ran.stdout.count("options-agent kernel") == 3
    assert "0% lost; whole domain" in ran.stdout
