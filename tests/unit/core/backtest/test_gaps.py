"""Holes in a past are told by where they begin and how long they are."""

from datetime import UTC, datetime, timedelta

from core.backtest.gaps import gaps_in
from ports.backtest_runs import Omission

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)


def told(hours: list[float], *period: datetime) -> list[tuple[float, str]]:
    found = gaps_in("BTC", [START + hour * HOUR for hour in hours], *period)
    return [((each.at - START) / HOUR, each.reason) for each in found]


def test_a_hole_is_several_times_the_usual_step() -> None:
    """Four steps are none yet, more are one, with its length."""
    assert told([0, 6, 12, 18, 42, 48]) == []
    assert told([0, 6, 12, 18, 66, 72]) == [(18, "no snapshot for 48.0 hours")]


def test_the_ends_of_a_period_are_looked_at_too() -> None:
    """What was asked for before the first snapshot and behind the last is missing as well."""
    period = (START - 100 * HOUR, START + 60 * HOUR)

    assert told([0, 6, 12, 18], *period) == [
        (-100, "no snapshot for 100.0 hours"),
        (18, "no snapshot for 42.0 hours"),
    ]
    assert told([0, 6, 12, 18], START - HOUR, START + 24 * HOUR) == []


def test_of_one_snapshot_nothing_is_told() -> None:
    """It has no usual step."""
    assert told([0]) == []
    assert gaps_in("BTC", []) == ()


def test_the_coin_is_named() -> None:
    """A hole is an omission of the coin, from the last snapshot before it."""
    instants = [START, START + HOUR, START + 2 * HOUR, START + 12 * HOUR]

    assert gaps_in("ETH", instants) == (
        Omission(
            at=START + 2 * HOUR,
            subject="ETH",
            reason="no snapshot for 10.0 hours",
        ),
    )
