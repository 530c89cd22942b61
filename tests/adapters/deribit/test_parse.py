"""The venue's words about our account in ours; what cannot be read is never guessed."""

from datetime import UTC, datetime
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.deribit import models
from adapters.deribit.parse import (
    contract_of,
    delivery_of,
    fill_of,
    is_delivery,
    order_of,
    position_of,
    read_as,
    rows_as,
)
from adapters.deribit.rpc import Answer
from ports.errors import Malformed
from ports.instruments import ContractRules, OptionContract, OptionKind
from ports.trading import OrderState, Side

TICKER: dict[str, Any] = {
    "instrument_name": "BTC-25SEP26-80000-C",
    "timestamp": 1,
    "state": "open",
    "best_bid_price": 0.01,
    "best_bid_amount": 1.0,
    "best_ask_price": 0.02,
    "best_ask_amount": 1.0,
    "mark_price": 0.015,
    "mark_iv": 50.0,
    "underlying_price": 80_000.0,
    "open_interest": 1.0,
}


@pytest.mark.parametrize("told", [None, "0.01", "", nan, inf, -inf, 1e308, True, [], {}, 10**400])
def test_a_quote_that_is_no_number_is_absent(told: object) -> None:
    """Null, text, infinity and absurdities become NaN, never a number."""
    ticker = models.Ticker.model_validate(TICKER | {"best_bid_price": told, "mark_iv": told})

    assert isnan(ticker.best_bid_price)
    assert isnan(ticker.mark_iv)
    assert ticker.best_ask_price == 0.02


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.integers(-(10**14), 10**14), st.floats(-1e14, 1e14)))
def test_a_quote_that_is_a_number_is_that_number(told: float) -> None:
    """Whole or not, it is read as it is."""
    ticker = models.Ticker.model_validate(TICKER | {"best_bid_price": told})

    assert ticker.best_bid_price == told


ORDER: dict[str, Any] = {
    "order_id": "BTC-9007199254740993",
    "instrument_name": "BTC-25SEP26-80000-C",
    "direction": "sell",
    "order_state": "open",
    "price": 0.02,
    "amount": 0.3,
    "filled_amount": 0.0,
    "label": "mine",
    "reduce_only": False,
    "creation_timestamp": 1_789_700_000_123,
    "last_update_timestamp": 1_789_700_000_123,
}


def order(**changed: Any) -> models.PlacedOrder:
    return read_as(models.PlacedOrder, Answer(method="x", status=200, result=ORDER | changed))


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, OrderState.OPEN),
        ({"filled_amount": 0.1}, OrderState.PARTIAL),
        ({"order_state": "untriggered"}, OrderState.OPEN),
        ({"order_state": "filled", "filled_amount": 0.3}, OrderState.FILLED),
        ({"order_state": "cancelled"}, OrderState.CANCELLED),
        ({"order_state": "cancelled", "filled_amount": 0.1}, OrderState.CANCELLED),
        ({"order_state": "rejected"}, OrderState.REJECTED),
        (
            {"order_state": "cancelled", "last_update_timestamp": 1_790_323_200_000},
            OrderState.EXPIRED,
        ),
    ],
)
def test_an_order_is_in_one_of_our_states(told: dict[str, Any], state: OrderState) -> None:
    """Each state of the venue is one of ours; cancelled at expiry is expired."""
    assert order_of(order(**told)).state is state


def test_an_order_is_read_in_full() -> None:
    """Id, label, contract, side, amounts, price and time."""
    read = order_of(order(filled_amount=0.1))

    assert (read.order_id, read.label, read.side) == ("BTC-9007199254740993", "mine", Side.SELL)
    assert read.contract == OptionContract(
        "BTC", datetime(2026, 9, 25, 8, tzinfo=UTC), 80_000.0, OptionKind.CALL
    )
    assert (read.amount, read.filled_amount, read.price) == (0.3, 0.1, 0.02)
    assert read.created_at == datetime(2026, 9, 18, 2, 53, 20, 123_000, tzinfo=UTC)
    assert read.reduce_only is False


def test_an_order_without_label_or_limit_is_somebody_else_s() -> None:
    """No label is None; a market order has no limit."""
    read = order_of(order(label="", price="market_price", order_state="untriggered"))

    assert (read.label, read.price) == (None, 0.0)


@pytest.mark.parametrize(
    "told",
    [
        {"order_state": "resting"},
        {"instrument_name": "BTC_USDC-PERPETUAL"},
        {"instrument_name": "BTC-31FEB26-80000-C"},
        {"price": -1.0},
        {"price": None},
        {"price": "0.02"},
        {"price": nan},
        {"amount": 0},
        {"amount": inf},
        {"amount": "0.3"},
        {"amount": True},
        {"filled_amount": -0.1},
        {"order_id": 17},
        {"direction": "zero"},
        {"creation_timestamp": 2**60},
        {"creation_timestamp": 253_402_300_800_000},  # the year 10,000
        {"reduce_only": None},
    ],
)
def test_an_order_that_cannot_be_read_is_malformed(told: dict[str, Any]) -> None:
    """Nothing of our orders is guessed."""
    with pytest.raises(Malformed):
        order_of(order(**told))


def test_one_bad_row_spoils_a_private_list() -> None:
    """A list of our own things is whole or not at all."""
    answer = Answer(method="private/get_open_orders", status=200, result=[ORDER, {}])

    with pytest.raises(Malformed, match=r"private/get_open_orders: order_id"):
        rows_as(models.PlacedOrder, answer)
    with pytest.raises(Malformed, match="not a list"):
        rows_as(models.PlacedOrder, Answer(method="x", status=200, result={"orders": []}))


def held(**changed: Any) -> models.HeldPosition:
    return models.HeldPosition.model_validate(
        {
            "instrument_name": "BTC-25SEP26-80000-C",
            "direction": "sell",
            "size": -0.4,
            "average_price": 0.02,
            "mark_price": 0.015,
        }
        | changed
    )


def test_a_short_position_is_negative() -> None:
    """Size is signed as the venue signs it."""
    position = position_of(held())

    assert (position.size, position.average_price, position.mark) == (-0.4, 0.02, 0.015)
    assert position_of(held(direction="buy", size=2)).size == 2.0
    assert position_of(held(direction="zero", size=0)).size == 0.0


@pytest.mark.parametrize(
    ("direction", "size"), [("sell", 0.4), ("buy", -0.4), ("zero", 1.0), ("buy", 0.0)]
)
def test_a_position_that_contradicts_itself_is_malformed(direction: str, size: float) -> None:
    """A size against its direction is not believed either way."""
    with pytest.raises(Malformed, match="BTC-25SEP26-80000-C"):
        position_of(held(direction=direction, size=size))


def trade(**changed: Any) -> models.UserTrade:
    return models.UserTrade.model_validate(
        {
            "trade_id": "445682190",
            "order_id": "BTC-7",
            "instrument_name": "BTC-25SEP26-80000-C",
            "direction": "buy",
            "amount": 0.3,
            "price": 0.02,
            "fee": 0.00009,
            "fee_currency": "BTC",
            "index_price": 80_000.0,
            "timestamp": 1_789_700_000_123,
            "liquidity": "M",
            "starbase_match_id": 2**63 + 1,
        }
        | changed
    )


def test_a_trade_is_read_in_full() -> None:
    """Side, price, fee, index, maker or taker, and whose."""
    fill = fill_of(trade())

    assert (fill.trade_id, fill.order_id, fill.label) == ("445682190", "BTC-7", None)
    assert (fill.side, fill.amount, fill.price, fill.fee_coin) == (Side.BUY, 0.3, 0.02, 0.00009)
    assert (fill.index_usd, fill.is_maker) == (80_000.0, True)
    assert fill_of(trade(liquidity="T", label="mine", fee=-1e-6)).label == "mine"


def test_a_fee_in_another_currency_is_not_added_up() -> None:
    """Coins are not dollars."""
    with pytest.raises(Malformed, match="USDC"):
        fill_of(trade(fee_currency="USDC"))


RULES = ContractRules(tick_size=0.0001, amount_step=0.1, min_amount=0.1)


def record(**changed: Any) -> models.SettlementRecord:
    return models.SettlementRecord.model_validate(
        {
            "type": "exercise",
            "timestamp": 1_790_323_200_065,
            "instrument_name": "BTC-25SEP26-80000-C",
            "position": -0.5,
            "index_price": 100_000.0,
            "mark_price": 0.2,
            "profit_loss": -0.09,
            "session_profit_loss": 0.0,
        }
        | changed
    )


def test_a_delivery_follows_from_its_price() -> None:
    """A call at 80,000 delivered at 100,000 costs 0.2 coin a contract, and the fee of 0.015 %."""
    delivery = delivery_of(record(), RULES)

    assert (delivery.size, delivery.delivery_price_usd) == (-0.5, 100_000.0)
    assert delivery.cash_coin == pytest.approx(-0.1, abs=1e-15)
    assert delivery.fee_coin == pytest.approx(0.5 * 0.00015, abs=1e-18)
    assert (delivery.price_source, delivery.price_error_usd) == ("venue", 0.0)
    assert delivery.at == datetime(2026, 9, 25, 8, 0, 0, 65_000, tzinfo=UTC)


def test_a_worthless_option_is_delivered_for_nothing() -> None:
    """Neither cash nor fee."""
    delivery = delivery_of(record(index_price=70_000.0), RULES)

    assert (delivery.cash_coin, delivery.fee_coin) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, True),
        ({"type": "delivery"}, True),
        ({"type": "delivery", "instrument_name": "BTC-25SEP26"}, False),
        ({"type": "settlement", "instrument_name": "BTC-PERPETUAL"}, False),
        ({"type": "settlement"}, False),
        ({"position": 0.0}, False),
    ],
)
def test_only_the_end_of_an_option_is_a_delivery(told: dict[str, Any], expected: bool) -> None:
    """Daily settlements and futures are told in the same list."""
    assert is_delivery(record(**told)) is expected


@pytest.mark.parametrize("price", [None, 0.0, -1.0, "expired"])
def test_a_delivery_without_a_price_is_malformed(price: object) -> None:
    """No price, no cash."""
    with pytest.raises(Malformed, match="delivered at"):
        delivery_of(record(index_price=price), RULES)


@pytest.mark.parametrize(
    ("name", "strike"),
    [("BTC-3JAN25-90000-C", 90_000.0), ("BTC_USDC-27MAR26-80500-P", 80_500.0)],
)
def test_names_of_both_families_are_read(name: str, strike: float) -> None:
    """Linear names carry the pair; the name leads back to itself."""
    assert contract_of(name).strike == strike
    assert contract_of(name).symbol == name


def test_a_decimal_strike_is_written_with_a_d() -> None:
    """0d625 is 0.625."""
    assert contract_of("XRP_USDC-30JUN23-0d625-C").strike == 0.625
