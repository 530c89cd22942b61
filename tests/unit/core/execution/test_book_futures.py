"""The perpetual in the book: held by positions, folded from trades, compared and healed."""

from datetime import timedelta
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.position_view import closed_views, future_views
from core.execution.book import fold
from core.execution.reconcile import differences
from ports.codec import from_json, to_json
from ports.decision_log import ENTRIES, Entry, Healed, Marked
from ports.instruments import FutureContract
from ports.marks import FutureMark
from ports.positions import BOOKS, Book, FutureLeg
from ports.trading import FuturePosition, OrderIntent, OrderState, Side
from tests.support.books import (
    A,
    account,
    book_of,
    delivered,
    fill,
    held,
    intent,
    marked,
    sent,
    traded,
    updated,
)
from tests.support.markets import NOW

PERPETUAL = FutureContract("BTC")


def hedge(label: str, position_id: str = "p", side: Side = Side.SELL) -> OrderIntent:
    return evolve(
        intent(label=label), contract=PERPETUAL, side=side, position_id=position_id, amount=10.0
    )


def perp_trade(
    label: str,
    usd: float,
    price: float = 100_000.0,
    position_id: str = "p",
    fee_coin: float = 0.0,
    minutes: float = 0.0,
) -> tuple[Entry, ...]:
    """A trade of *usd*, negative sold, for *position_id*."""
    side = Side.BUY if usd > 0 else Side.SELL
    order = evolve(hedge(label, position_id, side), amount=abs(usd), price=price)
    made = evolve(
        fill(),
        trade_id=f"trade of {label}",
        contract=PERPETUAL,
        side=side,
        amount=abs(usd),
        price=price,
        fee_coin=fee_coin,
        at=NOW + timedelta(minutes=minutes),
    )
    return traded(order, made)


def future_of(book: Book, position_id: str = "p") -> FutureLeg:
    found = book.positions[position_id].future
    assert found is not None
    return found


def told(usd: float, mark: float = 100_000.0) -> FuturePosition:
    return FuturePosition(
        contract=PERPETUAL, size_usd=usd, average_price=mark, mark=mark, profit_coin=0.0
    )


def of_future(mark_usd: float, minutes: float, since: float | None, funding: float = 0.0) -> Marked:
    at = NOW + timedelta(minutes=minutes)
    mark = FutureMark(
        contract=PERPETUAL,
        mark_usd=mark_usd,
        since=None if since is None else NOW + timedelta(minutes=since),
        funding=funding,
    )
    return evolve(marked(10.0, at=at, index_usd=mark_usd), futures=(mark,))


def test_a_hedge_belongs_to_its_position() -> None:
    """The position of the option holds it beside its leg; another position's is its own."""
    book = book_of(
        *traded(intent(), fill()),
        *perp_trade("h1", -30_000.0),
        *perp_trade("h2", 20_000.0, position_id="q"),
    )

    assert [leg.contract for leg in book.positions["p"].open_legs] == [A]
    assert future_of(book).size_usd == -30_000.0
    assert future_of(book, "q").size_usd == 20_000.0
    assert {each.position_id for each in book.open_positions()} == {"p", "q"}


trades = st.lists(
    st.tuples(st.integers(-9, 9).filter(bool), st.integers(50_000, 150_000)), min_size=1, max_size=8
)


@settings(derandomize=True, deadline=None)
@given(made=trades, mark=st.integers(50_000, 150_000))
def test_profit_is_that_of_every_trade(made: list[tuple[int, int]], mark: int) -> None:
    """
    However trades add to, close and turn a holding, it has earned the sum of Q (1/p - 1/M) of
    them all: computed in fractions.
    """
    entries = [
        entry
        for number, (lots, price) in enumerate(made)
        for entry in perp_trade(f"h{number}", 1000.0 * lots, float(price))
    ]
    book = book_of(*entries, of_future(float(mark), 1.0, None))
    earned = sum(1000 * lots * (Fraction(1, price) - Fraction(1, mark)) for lots, price in made)

    assert future_of(book).size_usd == 1000.0 * sum(lots for lots, _ in made)
    assert future_of(book).gained_coin == pytest.approx(float(earned), abs=1e-14)


def test_fees_and_realised_profit_are_noted_in_usd_too() -> None:
    """At the index of their trade; the profit of a position has all of it."""
    book = book_of(
        *perp_trade("h1", -50_000.0, 100_000.0, fee_coin=0.001),
        *perp_trade("h2", 50_000.0, 80_000.0, fee_coin=0.002),
    )
    future = future_of(book)

    assert future.realised_coin == pytest.approx(50_000.0 * (1 / 80_000 - 1 / 100_000))
    assert future.realised_usd == pytest.approx(future.realised_coin * fill().index_usd)
    assert future.fees_coin == pytest.approx(0.003)
    assert book.positions["p"].pnl_coin == pytest.approx(future.realised_coin - 0.003)


def test_a_position_is_open_until_its_hedge_is_off_too() -> None:
    """Its style is how its options ended."""
    entries = (*traded(intent(), fill()), *perp_trade("h1", -30_000.0), delivered())
    left = book_of(*entries).positions["p"]
    gone = book_of(*entries, *perp_trade("h2", 30_000.0, minutes=5)).positions["p"]

    assert (left.open_legs, left.future_usd, left.closed_at) == ((), -30_000.0, None)
    assert (gone.future_usd, gone.closed_at) == (0.0, NOW + timedelta(minutes=5))
    assert (left.exit_style, gone.exit_style) == ("expired", "expired")


def test_a_hedge_taken_off_first_ends_nothing() -> None:
    """The option is still held."""
    entries = (*traded(intent(), fill()), *perp_trade("h1", -10.0), *perp_trade("h2", 10.0))
    position = book_of(*entries).positions["p"]

    assert (position.closed_at, position.future_usd) == (None, 0.0)


def test_funding_is_noted_by_the_time_that_each_was_held() -> None:
    """
    Of a rate over ten minutes one position held all, another the last half; a mark without a
    rate notes none and the next makes up for it. Longs pay where it is positive.
    """
    half = of_future(100_000.0, 10.0, 0.0, 0.001)
    book = book_of(
        *perp_trade("h1", -50_000.0),
        *perp_trade("h2", 20_000.0, position_id="q", minutes=5),
        of_future(100_000.0, 8.0, None),
        half,
        half,
    )

    assert future_of(book).funding_coin == pytest.approx(0.001 * 0.5)
    assert future_of(book, "q").funding_coin == pytest.approx(-0.0005 * 0.2)
    assert future_of(book).funded_at == NOW + timedelta(minutes=10)


def test_wealth_names_what_hedges_earned() -> None:
    """Its parts sum to the whole; nothing of the hedge is left to others."""
    entries = (
        marked(10.0),
        *perp_trade("h1", -50_000.0, 100_000.0, fee_coin=0.001),
        evolve(of_future(80_000.0, 5.0, 0.0, 0.002), equity_coin=10.0 + 0.00125 + 0.125 - 0.001),
    )
    wealth = book_of(*entries).wealth["BTC"]

    assert wealth.hedge_coin == pytest.approx(0.125 + 0.00125)
    assert wealth.fees_coin == pytest.approx(-0.001)
    assert wealth.other_coin == pytest.approx(0.0, abs=1e-12)
    parts = wealth.coin_usd + wealth.option_usd + wealth.hedge_usd
    assert parts + wealth.fees_usd + wealth.other_usd == pytest.approx(wealth.total_usd)


def test_a_restart_knows_the_hedge() -> None:
    """From the snapshot or from the journal, both by their JSON, it is the same book."""
    entries = (
        *traded(intent(), fill()),
        *perp_trade("h1", -30_000.0, fee_coin=0.001),
        of_future(90_000.0, 5.0, 0.0, 0.001),
    )
    book = book_of(*entries)
    again = fold(Book(environment="test"), map(reread, entries))

    assert BOOKS.decode(from_json(to_json(BOOKS.encode(book)))) == book
    assert to_json(BOOKS.encode(again)) == to_json(BOOKS.encode(book))
    assert future_of(again).size_usd == -30_000.0


@pytest.mark.parametrize(
    ("venue_usd", "is_clean"),
    [(-30_000.0, True), (-29_990.0, True), (-29_980.0, False), (0, False)],
)
def test_the_venue_is_asked_for_the_sum_of_all_hedges(venue_usd: float, is_clean: bool) -> None:
    """Within ten USD it agrees; a perpetual nobody knows differs too."""
    book = book_of(*perp_trade("h1", -50_000.0), *perp_trade("h2", 20_000.0, position_id="q"))
    found = differences(book, evolve(account(), futures=(told(venue_usd),)), 100_000.0, 10.0)

    assert (found == ()) is is_clean
    stranger = evolve(account(), futures=(told(70_000.0),))
    (said,) = differences(book_of(), stranger, 100_000.0, 10.0)
    assert said == "BTC-PERPETUAL: the venue holds +70000, our book does not know it"


def test_a_trade_that_is_not_told_yet_explains_a_difference() -> None:
    """As with options."""
    order = evolve(hedge("h1"), amount=30_000.0)
    book = book_of(sent(order), updated(OrderState.FILLED, label="h1", filled=30_000.0))

    assert differences(book, evolve(account(), futures=(told(-30_000.0),)), 1e5, 10.0) == ()


def reread(entry: Entry) -> Entry:
    """*entry* as it comes back from the journal."""
    found: Entry = ENTRIES.decode(from_json(to_json(ENTRIES.encode(entry))))
    return found


def usd_held(book: Book) -> dict[str, float]:
    return {each.position_id: each.future_usd for each in book.open_positions()}


@pytest.mark.parametrize(
    ("venue_usd", "p", "q", "rest"),
    [
        (-50_000.0, -30_000.0, -20_000.0, None),  # as we have it
        (-40_000.0, -30_000.0, -10_000.0, None),
        (-60_000.0, -30_000.0, -20_000.0, -10_000.0),
        (70_000.0, None, None, 70_000.0),
        (0.0, None, None, None),
    ],
)
def test_healing_takes_what_the_venue_holds(
    venue_usd: float, p: float | None, q: float | None, rest: float | None
) -> None:
    """The oldest keep theirs, what is more is a position of its own, what is missing ends."""
    book = book_of(
        *perp_trade("h1", -30_000.0), *perp_trade("h2", -20_000.0, position_id="q", minutes=1)
    )
    futures = (told(venue_usd),) if venue_usd else ()
    entry = Healed(at=NOW, underlying="BTC", index_usd=1e5, positions=(), futures=futures)
    healed = fold(book, [entry])
    found = usd_held(healed)

    wanted = {"p": p, "q": q}
    assert {key: usd for key, usd in found.items() if not key.startswith("healed")} == {
        key: usd for key, usd in wanted.items() if usd is not None
    }
    assert [usd for key, usd in found.items() if key.startswith("healed")] == (
        [] if rest is None else [rest]
    )
    assert differences(healed, evolve(account(), futures=futures), 1e5, 10.0) == ()


def test_healing_options_leaves_the_hedge() -> None:
    """A position whose option is gone and whose hedge is held stays open."""
    book = book_of(*traded(intent(), fill()), *perp_trade("h1", -30_000.0))
    entry = Healed(
        at=NOW, underlying="BTC", index_usd=1e5, positions=(), futures=(told(-30_000.0),)
    )
    position = fold(book, [entry]).positions["p"]

    assert (position.open_legs, position.future_usd, position.closed_at) == ((), -30_000.0, None)
    both = evolve(entry, positions=(held(A, -1.0),))
    assert fold(book, [both]).positions["p"].open_legs != ()


def test_the_listing_shows_the_hedge_of_a_position() -> None:
    """Its USD, entry and mark, what it earned with funding; ended positions have all of it."""
    entries = (
        *traded(intent(), fill()),
        *perp_trade("h1", -50_000.0, 100_000.0, fee_coin=0.001),
        of_future(80_000.0, 5.0, 0.0, 0.002),
    )
    (view,) = future_views(book_of(*entries))
    assert (view.symbol, view.size_usd, view.entry_price) == ("BTC-PERPETUAL", -50_000.0, 100_000.0)
    assert (view.mark, view.fees_coin) == (80_000.0, 0.001)
    assert view.gained_coin == pytest.approx(0.125 + 0.00125)
    assert view.funding_coin == pytest.approx(0.00125)

    off = (delivered(), *perp_trade("h2", 50_000.0, 80_000.0))
    ended = book_of(*entries, *off)
    (closed,) = closed_views(ended)
    assert future_views(ended) == ()
    assert closed.symbols == (A.symbol, "BTC-PERPETUAL")
    assert closed.fees_coin == pytest.approx(0.001)
    assert closed.realised_coin == pytest.approx(0.03 + 0.125 + 0.00125 - 0.001)
