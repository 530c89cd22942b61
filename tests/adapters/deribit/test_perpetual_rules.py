"""The grid of a perpetual by its own record: amounts in USD; anything else is refused."""

import json
from typing import Any

import pytest

from adapters.deribit.futures import perpetual_rules
from ports.errors import Malformed, Unavailable
from tests.support.deribit_venue import ScriptedVenue, raw, result
from tests.support.recorded import recorded_data

ASKED = "public/get_instrument"
ROW: dict[str, Any] = {
    "instrument_name": "BTC-PERPETUAL",
    "kind": "future",
    "base_currency": "BTC",
    "instrument_type": "reversed",
    "contract_size": 10.0,
    "min_trade_amount": 10.0,
    "tick_size": 0.5,
    "tick_size_steps": [],
    "is_active": True,
    "taker_commission": 0.0005,
}


async def test_what_the_venue_recorded() -> None:
    """The record of 9 December 2025: lots of 10 USD, ticks of half a dollar, no fee a contract."""
    name = "public_get_instrument__get_instrument_nautilus.json"
    file = recorded_data() / "responses" / "recorded" / name
    row = json.loads(file.read_text())["result"]
    venue = ScriptedVenue().on(ASKED, result(row))
    rules = await perpetual_rules(venue.client(with_credentials=False), "BTC")

    assert (rules.amount_step, rules.min_amount, rules.tick_size) == (10.0, 10.0, 0.5)
    assert (rules.trade_fee_coin, rules.tick_steps) == (0.0, ())
    assert venue.params(ASKED) == [{"instrument_name": "BTC-PERPETUAL"}]


@pytest.mark.parametrize(
    "changed",
    [
        {"instrument_name": "ETH-PERPETUAL"},
        {"kind": "option"},
        {"instrument_type": "linear"},
        {"is_active": False},
        {"min_trade_amount": 0.0},
        {"tick_size": None},
    ],
)
async def test_another_record_is_no_grid(changed: dict[str, Any]) -> None:
    """Another coin's, an option's, a linear or closed one, one without a size."""
    venue = ScriptedVenue().on(ASKED, result(ROW | changed))

    with pytest.raises(Malformed):
        await perpetual_rules(venue.client(with_credentials=False), "BTC")


async def test_silence_is_no_grid() -> None:
    """And nothing is assumed in its place."""
    venue = ScriptedVenue().on(ASKED, *[raw(503, "away")] * 9)

    with pytest.raises(Unavailable):
        await perpetual_rules(venue.client(with_credentials=False), "BTC")
