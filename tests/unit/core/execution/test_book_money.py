"""Money in the book: what was earned, on what, in coin and in USD."""

from datetime import timedelta
from math import fsum

import numpy as np
import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from core.execution.book import fold
from ports.decision_log import Entry
from ports.instruments import OptionContract
from ports.positions import Book, Wealth
from ports.trading import Side
from tests.support.books import (
    A,
    B,
    book_of,
    delivered,
    fill,
    intent,
    marked,
    only_leg,
    traded,
)
from tests.support.markets import NOW, call

C = call(120_000.0)


def test_one_contract_sold_at_3_and_marked_at_2_earns_1() -> None:
    """Sold at 0.0300, marked 0.0200: +0.0100 BTC and nothing else."""
    book = book_of(
        marked(10.0), *traded(intent(), fill(price=0.03)), marked(10.03 - 0.02, (A, 0.02))
    )

    wealth = book.wealth["BTC"]
    assert only_leg(book).pnl_coin == pytest.approx(0.01, abs=1e-15)
    assert wealth.option_coin == pytest.approx(0.01, abs=1e-15)
    assert wealth.total_coin == pytest.approx(0.01, abs=1e-14)
    assert (wealth.fees_coin, wealth.coin_usd) == (0.0, 0.0)
    assert wealth.other_coin == pytest.approx(0.0, abs=1e-14)
    assert wealth.total_usd == pytest.approx(1000.0, abs=1e-8)


def test_what_was_traded_before_the_first_mark_is_earned_too() -> None:
    """The first equity is the one before those trades."""
    book = book_of(*traded(intent(), fill(price=0.03, fee_coin=0.0003)), marked(10.0097, (A, 0.02)))

    wealth = book.wealth["BTC"]
    assert wealth.first_equity_coin == pytest.approx(10.0, abs=1e-14)
    assert (wealth.option_coin, wealth.fees_coin) == pytest.approx((0.01, -0.0003), abs=1e-15)
    assert wealth.other_coin == pytest.approx(0.0, abs=1e-14)


def test_holding_the_coin_is_told_apart_from_the_options() -> None:
    """10 coins through 100,000 -> 110,000 are 100,000 USD, whatever the option did."""
    book = book_of(
        *traded(intent(), fill(price=0.03)),
        marked(10.01, (A, 0.02)),
        marked(9.99, (A, 0.04), index_usd=110_000.0),
    )

    wealth = book.wealth["BTC"]
    assert wealth.coin_usd == pytest.approx(10.01 * 10_000.0, rel=1e-12)
    assert wealth.option_usd == pytest.approx(0.01 * 1e5 - 0.02 * 1.1e5, rel=1e-9)


def test_a_transfer_is_neither_earned_nor_lost_by_options() -> None:
    """It is other."""
    book = book_of(marked(10.0), marked(12.0))

    wealth = book.wealth["BTC"]
    assert (wealth.option_coin, wealth.fees_coin, wealth.other_coin) == (0.0, 0.0, 2.0)
    assert wealth.other_usd == 200_000.0


def test_the_worst_moment_of_a_position_is_remembered() -> None:
    """The lowest mark-to-market profit since it was opened."""
    book = book_of(
        *traded(intent(), fill(price=0.03)),
        marked(10.0, (A, 0.05)),
        marked(10.0, (A, 0.01)),
    )

    (position,) = book.positions.values()
    assert position.worst_pnl_coin == pytest.approx(-0.02, abs=1e-15)
    assert position.pnl_coin == pytest.approx(0.02, abs=1e-15)


def test_closed_legs_are_not_marked_any_more() -> None:
    """What is over has earned what it has earned."""
    buy = intent(side=Side.BUY, label="s.2.close")
    closed = fold(
        book_of(*traded(intent(), fill(price=0.03))),
        traded(buy, fill("t2", side=Side.BUY, price=0.01)),
    )
    book = fold(closed, [marked(10.0, (A, 0.5))])

    assert only_leg(book).pnl_coin == pytest.approx(0.02, abs=1e-15)


@define
class _Account:
    """An account kept by plain sums, beside the book."""

    rng: np.random.Generator
    index_usd: float = 100_000.0
    balance_coin: float = 20.0
    sizes: dict[tuple[str, OptionContract], int] = field(factory=dict)  # in tenths
    option_cash: list[float] = field(factory=list)
    fees: list[float] = field(factory=list)
    marks: dict[OptionContract, float] = field(factory=dict)
    moved: int = 0

    def step(self) -> tuple[Entry, ...]:
        """A trade, a mark or a delivery, as chance will have it."""
        self.moved += 1
        kind = self.rng.random()
        if kind < 0.7:
            return self._trade()
        return self.mark() if kind < 0.95 else self._deliver()

    def mark(self) -> tuple[Entry, ...]:
        """New index, new marks of everything."""
        self.index_usd *= float(np.exp(self.rng.normal(0.0, 0.01)))
        self.marks = {each: float(self.rng.uniform(0.0, 0.1)) for each in (A, B, C)}
        at = NOW + timedelta(minutes=self.moved)
        marks = tuple(self.marks.items())
        return (marked(self.equity_coin(), *marks, index_usd=self.index_usd, at=at),)

    def equity_coin(self) -> float:
        """Balance and what is held, at the last marks."""
        return self.balance_coin + self.held_coin()

    def held_coin(self) -> float:
        """What is held, at the last marks."""
        return fsum(tenths / 10 * self.marks[key[1]] for key, tenths in self.sizes.items())

    def _trade(self) -> tuple[Entry, ...]:
        contract = (A, B, C)[self.rng.integers(3)]
        position_id = f"p{self.rng.integers(4)}"
        side = Side.SELL if self.rng.random() < 0.5 else Side.BUY
        tenths, price = int(self.rng.integers(1, 30)), float(self.rng.integers(1, 1000)) * 1e-4
        fee_coin = 0.0003 * tenths / 10
        key = (position_id, contract)
        self.sizes[key] = self.sizes.get(key, 0) + side.sign * tenths
        self.option_cash.append(-side.sign * price * tenths / 10)
        self.fees.append(-fee_coin)
        self.balance_coin += self.option_cash[-1] - fee_coin
        order = intent(
            contract, side, tenths / 10, label=f"s.{self.moved}.open", position_id=position_id
        )
        trade = fill(
            f"t{self.moved}",
            contract,
            side,
            tenths / 10,
            price,
            fee_coin=fee_coin,
            index_usd=self.index_usd,
        )
        return traded(order, trade)

    def _deliver(self) -> tuple[Entry, ...]:
        contract = (A, B, C)[self.rng.integers(3)]
        tenths = sum(size for key, size in self.sizes.items() if key[1] == contract)
        if tenths == 0:
            return ()
        cash_coin = tenths / 10 * float(self.rng.uniform(0.0, 0.2))
        fee_coin = 0.00015 * abs(tenths) / 10
        self.sizes = {key: size for key, size in self.sizes.items() if key[1] != contract}
        self.option_cash.append(cash_coin)
        self.fees.append(-fee_coin)
        self.balance_coin += cash_coin - fee_coin
        number = f"d{self.moved}"
        entry = delivered(contract, tenths / 10, cash_coin, fee_coin=fee_coin, delivery_id=number)
        return (entry,)


def run(seed: int, steps: int) -> tuple[Book, _Account]:
    """A random life of *steps*, first and last of which are marks."""
    account, book = _Account(np.random.default_rng(seed)), Book()
    book = fold(book, account.mark())
    for _ in range(steps):
        book = fold(book, account.step())
    return fold(book, account.mark()), account


def assert_sums(wealth: Wealth, gross_coin: float) -> None:
    """The parts sum to the whole, in coin and in USD, to 1e-12 of what was turned over."""
    parts_coin = fsum([wealth.option_coin, wealth.fees_coin, wealth.other_coin])
    parts_usd = fsum([wealth.coin_usd, wealth.option_usd, wealth.fees_usd, wealth.other_usd])
    gross_usd = gross_coin * wealth.index_usd

    assert parts_coin == pytest.approx(wealth.total_coin, abs=1e-12 * gross_coin)
    assert parts_usd == pytest.approx(wealth.total_usd, abs=1e-12 * gross_usd)
    assert wealth.other_coin == pytest.approx(0.0, abs=1e-12 * gross_coin)


def gross(account: _Account) -> float:
    """Coin turned over, and what there was to begin with."""
    return 20.0 + fsum(abs(each) for each in account.option_cash)


def test_two_thousand_steps_are_attributed_to_the_last_digit() -> None:
    """Trades, marks and deliveries of several positions: the sums agree with plain ones."""
    book, account = run(seed=11, steps=2_000)
    wealth = book.wealth["BTC"]

    assert_sums(wealth, gross(account))
    assert wealth.equity_coin == account.equity_coin()
    option_coin = fsum([*account.option_cash, account.held_coin()])
    assert wealth.option_coin == pytest.approx(option_coin, abs=1e-12 * gross(account))
    assert wealth.fees_coin == pytest.approx(fsum(account.fees), rel=1e-12)


@given(st.integers(0, 10**6))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_any_life_is_attributed_whole(seed: int) -> None:
    """The law, on other paths."""
    book, account = run(seed, steps=60)

    assert_sums(book.wealth["BTC"], gross(account))
    held = {
        (position.position_id, leg.contract): leg.size
        for position in book.open_positions()
        for leg in position.open_legs
    }
    assert held == {key: tenths / 10 for key, tenths in account.sizes.items() if tenths}
