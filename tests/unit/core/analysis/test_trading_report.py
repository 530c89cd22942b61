"""What a run sold, bought back, paid off and earned."""

import asyncio

import pytest
from attrs import evolve

from core.analysis.trading_report import TradingReport, holdings_lines, report_of
from core.execution.book import fold
from core.usecases.agent import Agent
from ports.decision_log import Decided, Entry, Opened
from ports.positions import Book
from ports.trading import Side
from tests.support.books import (
    A,
    B,
    book_of,
    delivered,
    fill,
    intent,
    marked,
    traded,
)
from tests.support.entries import entries
from tests.support.scripts import MARKETS, scripted

BACK = intent(side=Side.BUY, amount=0.4, label="s.2.close")
SECOND = intent(B, label="s.3.open", position_id="q")
LIFE: tuple[Entry, ...] = (
    *traded(intent(), fill(price=0.03, fee_coin=0.0003)),
    *traded(BACK, fill("t2", side=Side.BUY, amount=0.4, price=0.01, index_usd=90_000.0)),
    delivered(size=-0.6, cash_coin=-0.06, fee_coin=0.00009),
    *traded(SECOND, fill("t3", B, price=0.02)),
    marked(10.0, (B, 0.015)),
)


async def script() -> tuple[Book, list[Entry]]:
    """Book and journal of the scripted life."""
    stage = scripted()
    rig = await stage.rig()
    await Agent(rig.desk, asyncio.Event()).run()
    return rig.desk.keeper.book, await stage.entries()


def test_earnings_are_the_flows_of_every_leg() -> None:
    """Sold 0.03 + 0.02, bought back 0.004, paid off 0.06, fees 0.00039, held -0.015."""
    report = report_of(book_of(*LIFE), LIFE)

    (earned,) = report.earnings
    assert (earned.strategy_id, earned.underlying) == ("s", "BTC")
    assert (earned.positions, earned.open_positions) == (2, 1)
    assert earned.premium_sold_coin == pytest.approx(0.05, abs=1e-15)
    assert earned.premium_sold_usd == pytest.approx(5000.0, abs=1e-9)
    assert earned.bought_back_coin == pytest.approx(0.004, abs=1e-15)
    assert earned.bought_back_usd == pytest.approx(360.0, abs=1e-9)
    assert earned.paid_off_coin == pytest.approx(0.06, abs=1e-15)
    assert earned.paid_off_usd == pytest.approx(6600.0, abs=1e-9)
    assert earned.fees_coin == pytest.approx(0.00039, abs=1e-15)
    assert earned.held_coin == pytest.approx(-0.015, abs=1e-15)
    expected = 0.05 - 0.004 - 0.06 - 0.00039 - 0.015
    assert earned.pnl_coin == pytest.approx(expected, abs=1e-15)


def test_each_strategy_and_coin_earns_for_itself() -> None:
    """Sorted by name; what two earned is not mixed."""
    other = evolve(intent(label="a.2.open", position_id="r"), strategy_id="a")
    life = (*LIFE, *traded(other, fill("t9", price=0.01)))
    report = report_of(book_of(*life), life)

    assert [each.strategy_id for each in report.earnings] == ["a", "s"]
    assert report.earnings[0].premium_sold_coin == pytest.approx(0.01, abs=1e-15)


def test_nothing_paid_off_is_zero_without_a_sign() -> None:
    """Not minus zero on a screen."""
    life = traded(intent(), fill())
    (earned,) = report_of(book_of(*life), life).earnings

    assert str(earned.paid_off_coin) == "0.0"
    assert str(earned.paid_off_usd) == "0.0"


def test_deliveries_are_counted_and_those_in_the_money_apart() -> None:
    """A delivery that brought or cost nothing was out of the money."""
    life = (*LIFE, delivered(B, cash_coin=0.0, delivery_id="d2"))
    report = report_of(book_of(*life), life)

    assert (report.deliveries, report.deliveries_in_the_money) == (2, 1)


async def test_a_life_is_counted_by_what_was_decided_and_became_of_it() -> None:
    """Actions, reasons, ends of orders and rolls of the scripted life, by hand."""
    book, journal = await script()
    report = report_of(book, journal)

    assert report.decisions == len(MARKETS)
    assert report.actions == {
        "CLOSE_COVERED_CALL": 1,
        "OPEN_COVERED_CALL": 3,
        "ROLL_COVERED_CALL": 1,
    }
    assert report.reasons == {
        "best": 3,
        "defend_by_roll": 1,
        "hold": 1,
        "position_open": 3,
        "take_profit": 1,
    }
    assert report.orders == {"cancelled": 1, "filled": 5}
    assert report.rolls == {"done": 1}
    assert (report.deliveries, report.deliveries_in_the_money) == (1, 1)
    assert (report.first_at, report.last_at) == ("2026-03-02 10:00", "2026-03-13 18:00")
    assert report.wealth == book.wealth


async def test_earnings_and_wealth_agree() -> None:
    """Without transfers what the strategies earned is what the account gained."""
    book, journal = await script()
    report = report_of(book, journal)
    earned = sum(each.pnl_coin for each in report.earnings)

    assert earned == pytest.approx(report.wealth["BTC"].total_coin, abs=1e-14)


def test_refusals_and_skips_are_counted_by_code() -> None:
    """One refusal a control and action; each contract passed over."""
    journal = entries()
    report = report_of(fold(Book(), journal), journal)
    (decided,) = [entry for entry in journal if isinstance(entry, Decided)]

    assert report.refusals == {"not_covered": 1}
    assert report.skips == {"too_far": 1}
    assert report.actions == {}
    assert report.reasons == {decided.actions[0].reason: 1}


def test_a_run_without_entries_is_a_report_of_nothing() -> None:
    """Every count is there and empty."""
    report = report_of(Book(), ())

    assert isinstance(report, TradingReport)
    assert (report.earnings, report.decisions, report.actions) == ((), 0, {})
    assert (report.first_at, report.last_at) == ("", "")


async def test_holdings_are_told_without_what_a_restart_changes() -> None:
    """Instants, labels and numbers do not matter; sizes, flows and equity do."""
    book, journal = await script()
    assert isinstance(journal[0], Opened)
    renamed = {f"x-{key}": value for key, value in book.positions.items()}
    same = evolve(book, positions=renamed, counter=99, orders={}, turns={}, trade_ids={})
    assert holdings_lines(same) == holdings_lines(book)

    life = book_of(*LIFE)
    for changed in (
        fold(life, traded(SECOND, fill("t4", B, price=0.02))),
        fold(life, [marked(9.0, (B, 0.015))]),
        fold(life, [marked(10.0, (B, 0.015), index_usd=100_001.0)]),
        fold(life, [delivered(B, cash_coin=-0.01, delivery_id="d2")]),
    ):
        assert holdings_lines(changed) != holdings_lines(life)
    assert any(A.symbol in line for line in holdings_lines(life))
