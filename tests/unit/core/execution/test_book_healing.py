"""What comparing with the venue does to the book: healing, halts and their release."""

import pytest
from attrs import evolve

from core.execution.book import after, fold
from ports.controls import RuntimeControls
from ports.decision_log import (
    ControlsSeen,
    Halted,
    Healed,
    HealthChanged,
    HealthState,
    Reconciled,
)
from ports.positions import Book
from ports.trading import Side
from tests.support.books import (
    A,
    B,
    book_of,
    fill,
    held,
    intent,
    marked,
    traded,
)
from tests.support.markets import NOW, call

SHORT_ONE = book_of(*traded(intent(), fill()))
BUY = intent(side=Side.BUY, label="s.2.close")


def test_healing_takes_the_venues_sizes_and_keeps_history() -> None:
    """What matches keeps its flows; what is gone ends; what is new becomes its own position."""
    second = intent(B, label="s.2.open", position_id="q")
    book = fold(SHORT_ONE, traded(second, fill("t2", B, price=0.02)))
    new = call(120_000.0)
    healed = after(
        Healed(
            at=NOW,
            underlying="BTC",
            index_usd=100_000.0,
            positions=(held(A, -0.4), held(new, -0.2)),
        ),
        book,
    )

    kept, gone = healed.positions["p"], healed.positions["q"]
    assert (kept.legs[0].size, kept.legs[0].sold_coin, kept.closed_at) == (-0.4, 0.03, None)
    assert (gone.legs[0].size, gone.closed_at, gone.exit_style) == (
        0.0,
        NOW,
        "healed_from_exchange",
    )
    (found,) = [each for each in healed.positions.values() if each.strategy_id == "healed"]
    assert (found.origin, found.legs[0].contract, found.legs[0].size) == ("HEALED", new, -0.2)
    assert found.legs[0].sold_coin == pytest.approx(0.2 * 0.03, rel=1e-15)
    sizes = {leg.contract: leg.size for each in healed.open_positions() for leg in each.open_legs}
    assert sizes == {A: -0.4, new: -0.2}


def test_healing_leaves_closed_chains_sandboxes_and_other_coins() -> None:
    """It is about what the venue holds in this coin."""
    closed = fold(SHORT_ONE, traded(BUY, fill("t2", side=Side.BUY, price=0.01)))
    eth = call(3_000.0, underlying="ETH")
    others = fold(
        closed,
        [
            *traded(intent(eth, label="s.3.open", position_id="e"), fill("t3", eth)),
            *traded(intent(B, label="s.4.open", position_id="x"), fill("t4", B)),
        ],
    )
    aside = evolve(others.positions["x"], sandbox=True)
    book = evolve(others, positions={**others.positions, "x": aside})
    healed = after(Healed(at=NOW, underlying="BTC", index_usd=1e5, positions=()), book)

    assert healed.positions == book.positions


def test_a_difference_is_counted_until_a_clean_reading() -> None:
    """Readings in a row that differ, by coin."""

    def reading(*found: str, underlying: str = "BTC") -> Reconciled:
        return Reconciled(at=NOW, underlying=underlying, differences=found, action="halt")

    book = book_of(reading("x"), reading("y"), reading(underlying="ETH"))
    assert (book.reconciliations["BTC"].differing, book.reconciliations["BTC"].clean) == (2, False)
    assert book.reconciliations["ETH"].clean
    assert after(reading(), book).reconciliations["BTC"].differing == 0


def test_a_release_ends_a_halt_and_starts_again() -> None:
    """A person takes it on: the halt, the count of differences and the peak begin anew."""
    halted = book_of(
        marked(1.0, index_usd=100_000.0),
        marked(1.0, index_usd=80_000.0),
        Reconciled(at=NOW, underlying="BTC", differences=("x",), action="halt"),
        Halted(at=NOW, reason="why"),
    )
    assert halted.halted == "why"
    assert halted.drawdown is not None
    assert halted.drawdown.fall_pct == pytest.approx(20.0)

    changed = after(ControlsSeen(at=NOW, controls=RuntimeControls(revision=1)), halted)
    assert changed.halted == "why"

    released = after(
        ControlsSeen(at=NOW, controls=RuntimeControls(revision=2, releases=1)), changed
    )
    assert released.halted == ""
    assert released.reconciliations["BTC"].differing == 0
    assert not released.reconciliations["BTC"].clean
    assert released.drawdown is not None
    assert released.drawdown.fall_pct == 0.0


def test_health_is_what_was_last_written() -> None:
    """State, cause and pause are taken from each change; a book of before is well."""
    pause = HealthChanged(at=NOW, state=HealthState.DEGRADED, cause="stale", is_pausing=True)
    resume = HealthChanged(at=NOW, state=HealthState.OK, cause="clean", is_pausing=False)
    paused = after(pause, Book())
    resumed = after(resume, paused)

    assert (Book().health, Book().is_paused) == (HealthState.OK, False)
    assert (paused.health, paused.health_cause, paused.is_paused) == (
        HealthState.DEGRADED,
        "stale",
        True,
    )
    assert (resumed.health, resumed.is_paused) == (HealthState.OK, False)
