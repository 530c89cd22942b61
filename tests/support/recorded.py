"""Recorded Deribit chains, which lie beside the project and are not part of it."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from adapters.files.recorded_chains import RecordedChains
from core.simulation.listing import COINS, deribit_rules

_ROOT = Path(__file__).resolve().parents[2]


def recorded_data() -> Path:
    """The folder of recorded data; the test is skipped where there is none."""
    data = (_ROOT / "../shared/data").resolve()
    if not data.is_dir():
        pytest.skip(f"no recorded data beside the project: {data} is missing")
    return data


def recorded_chains() -> RecordedChains:
    """The recorded chains of January to May 2026; the test is skipped where there are none."""
    directory = recorded_data() / "chains" / "timeseries"
    return RecordedChains(directory, {coin: deribit_rules(coin) for coin in COINS})


def sample(instants: Sequence[datetime], size: int = 12) -> list[datetime]:
    """About *size* of *instants*, evenly; all of them if OPTIONS_AGENT_FULL is 1."""
    if os.environ.get("OPTIONS_AGENT_FULL") == "1":
        return list(instants)
    return list(instants[:: max(1, len(instants) // size)])
