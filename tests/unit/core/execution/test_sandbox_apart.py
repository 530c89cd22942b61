"""Positions of the sandbox are in the book and in nothing else."""

from datetime import timedelta

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.position_view import closed_views, open_totals, open_views
from core.analysis.trading_report import report_of
from core.execution.book import fold
from core.execution.reconcile import differences
from core.greg.modes import STRATEGIES
from core.greg.sandbox import ORIGIN, run_id_at, sandbox_position
from core.usecases.greg_sandbox import sandbox_positions
from ports.decision_log import Delivered, Entry, Marked
from ports.greg_journal import SandboxClosed, SandboxLeg, SandboxOpened
from ports.marks import PositionMark
from ports.positions import Book, TrackedPosition
from ports.trading import Delivery, Side
from tests.support.books import account, fill, intent, traded
from tests.support.markets import FRIDAY, NOW, call
from tests.support.risk_calm import calm

CONTRACTS = (call(100_000.0), call(110_000.0))
LATER = FRIDAY + timedelta(hours=1)


@st.composite
def trades(draw: st.DrawFn) -> list[Entry]:
    """Trades, marks and deliveries of two contracts, in any order."""
    entries: list[Entry] = []
    for number in range(draw(st.integers(1, 6))):
        contract = draw(st.sampled_from(CONTRACTS))
        side = draw(st.sampled_from(Side))
        order = intent(contract, label=f"s.{number}", position_id=draw(st.sampled_from(["p", "q"])))
        one = fill(f"t{number}", contract, label=f"s.{number}", amount=0.5, side=side, price=0.02)
        entries += traded(evolve(order, side=side), one)
        marks = tuple(PositionMark(each, draw(st.floats(0.0, 0.1))) for each in CONTRACTS)
        entries.append(
            Marked(at=NOW, underlying="BTC", index_usd=1e5, equity_coin=10.0, marks=marks)
        )
    if draw(st.booleans()):
        entries.append(delivered())
    return entries


def delivered() -> Delivered:
    told = Delivery(
        delivery_id="d",
        contract=CONTRACTS[0],
        size=-1.0,
        at=FRIDAY,
        delivery_price_usd=105_000.0,
        price_source="venue",
        price_error_usd=0.0,
        cash_coin=-0.05,
        fee_coin=0.0,
    )
    return Delivered(at=FRIDAY, delivery=told, index_usd=105_000.0)


def invented(number: int) -> SandboxOpened:
    """A position of the sandbox on the very contracts that are traded."""
    return SandboxOpened(
        at=NOW,
        position_id=f"sandbox_BTC_STRATEGY_A_STRADDLE_{number:08x}",
        strategy_id="greg_vrp_harvester",
        underlying="BTC",
        origin="GREG_SANDBOX",
        run_id="GREG_SANDBOX_1",
        index_usd=1e5,
        legs=tuple(SandboxLeg(each, -1.0 - number, 0.02) for each in CONTRACTS),
    )


@st.composite
def with_sandbox(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    """The same trades, without and with a sandbox between them."""
    plain = draw(trades())
    mixed = list(plain)
    for number in range(draw(st.integers(1, 3))):
        mixed.insert(draw(st.integers(0, len(mixed))), invented(number))
    if draw(st.booleans()):
        ids = (invented(0).position_id, "p")
        mixed.insert(
            draw(st.integers(0, len(mixed))),
            SandboxClosed(at=NOW, position_ids=ids, reason="cleared"),
        )
    return plain, mixed


@settings(derandomize=True, deadline=None, max_examples=150)
@given(with_sandbox())
def test_it_changes_nothing_that_is_shown_or_limited(both: tuple[list[Entry], list[Entry]]) -> None:
    """Listings, totals, wealth, drawdown, reports, reconciliation and exposure are the same."""
    plain, mixed = (fold(Book(environment="paper"), entries) for entries in both)

    assert mixed.open_positions() == plain.open_positions()
    assert (mixed.wealth, mixed.drawdown) == (plain.wealth, plain.drawdown)
    assert str(open_views(mixed, LATER)) == str(open_views(plain, LATER))
    assert str(open_totals(open_views(mixed, LATER))) == str(open_totals(open_views(plain, LATER)))
    assert str(closed_views(mixed)) == str(closed_views(plain))
    assert str(report_of(mixed, both[0])) == str(report_of(plain, both[0]))
    seen = calm().state
    held = account(balance_coin=10.0)
    assert differences(mixed, held, 1e5, 10.0) == differences(plain, held, 1e5, 10.0)
    assert evolve(seen, book=mixed).holdings == evolve(seen, book=plain).holdings
    assert evolve(seen, book=mixed).short_calls == evolve(seen, book=plain).short_calls
    assert len(sandbox_positions(mixed)) >= 1


def test_every_strategy_on_both_coins() -> None:
    """Fourteen, tagged with origin and run, each told apart, and none of them traded."""
    made = [
        sandbox_position(code, coin, size, NOW, run_id_at(NOW))
        for coin, size in (("BTC", 0.01), ("ETH", 0.1))
        for code in STRATEGIES
    ]
    entries: list[Entry] = [each for each in made if isinstance(each, SandboxOpened)]
    book = fold(Book(), entries)

    assert len(book.positions) == 14
    assert book.open_positions() == ()
    for position in book.positions.values():
        assert (position.sandbox, position.origin) == (True, "GREG_SANDBOX")
        assert position.run_id == "GREG_SANDBOX_20260302T100000Z"
        assert position.exit_style == "hold_to_expiry"


def test_the_legs_are_those_of_the_table() -> None:
    """A bull put at 97,500 and 92,500; an iron fly at 4,000 between 3,800 and 4,200; 08:00 UTC."""
    bull = sandbox_position("STRATEGY_F_BULL_PUT_SPREAD", "BTC", 0.01, NOW, "r")
    fly = sandbox_position("STRATEGY_D_IRON_BUTTERFLY", "ETH", 0.1, NOW, "r")
    calendar = sandbox_position("STRATEGY_B_CALENDAR", "BTC", 0.01, NOW, "r")
    assert isinstance(bull, SandboxOpened)
    assert isinstance(fly, SandboxOpened)
    assert isinstance(calendar, SandboxOpened)

    assert [(leg.contract.strike, leg.size) for leg in bull.legs] == [
        (97_500.0, -0.01),
        (92_500.0, 0.01),
    ]
    assert sorted((leg.contract.strike, leg.size) for leg in fly.legs) == [
        (3_800.0, 0.1),
        (4_000.0, -0.1),
        (4_000.0, -0.1),
        (4_200.0, 0.1),
    ]
    assert [f"{leg.contract.expiry:%d %b %H:%M}" for leg in calendar.legs] == [
        "10 Mar 08:00",
        "02 Apr 08:00",
    ]
    assert {leg.price_coin for leg in (*bull.legs, *fly.legs)} == {0.02}


def test_what_cannot_be_made_is_told() -> None:
    """An unknown strategy, coin or size is a reason, never an exception."""
    reasons = [
        getattr(sandbox_position(*wrong, NOW, "r"), "reason", "")
        for wrong in (
            ("STRATEGY_E", "BTC", 0.01),
            ("NO_TRADE", "BTC", 0.01),
            ("STRATEGY_C_SHORT_PUT", "DOGE", 0.01),
            ("STRATEGY_C_SHORT_PUT", "BTC", float("nan")),
            ("STRATEGY_C_SHORT_PUT", "BTC", -1.0),
        )
    ]

    assert all(reasons)


def test_the_origin_alone_makes_it_one() -> None:
    """A position without the flag counts as one of the sandbox if its origin says so."""
    mine = TrackedPosition(
        position_id="p", strategy_id="s", underlying="BTC", opened_at=NOW, legs=(), origin=ORIGIN
    )
    assert mine.sandbox
    book = Book(environment="test", positions={"p": mine})
    assert sandbox_positions(book) == (mine,)
    assert book.open_positions() == ()
    assert book.open_positions("BTC", includes_sandbox=True) == (mine,)
    assert not evolve(mine, origin="AGENT", sandbox=False).sandbox
