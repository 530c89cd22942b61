"""DeribitHarvest: a whole currency out of public lists, and what becomes of odd rows."""

import gzip
import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from adapters.deribit.book_columns import read_books
from adapters.deribit.harvest import DeribitHarvest
from core.pricing.black76 import premium_coin
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from ports.instruments import Settlement
from ports.snapshots import Harvest
from tests.support.deribit_market import (
    CALL,
    CHAIN,
    INDEX,
    LATER,
    LIST,
    PUT,
    Row,
    instrument,
    summary,
)
from tests.support.deribit_venue import NOW, ScriptedVenue, error, result
from tests.support.recorded import recorded_data

DVOL, DELIVERED = "public/get_volatility_index_data", "public/get_delivery_prices"
LINEAR = "SOL_USDC-25SEP26-120-C"
FUTURE: Row = {
    "instrument_name": "BTC-PERPETUAL",
    "bid_price": 79_999.5,
    "ask_price": 80_000.5,
    "mark_price": 80_000.0,
    "open_interest": 1e9,
    "volume_usd": 2e8,
    "current_funding": 0.0001,
    "funding_8h": None,
}


def quote(name: str = CALL, **changed: Any) -> Row:
    return summary(name, interest_rate=0.01, estimated_delivery_price=80_100.0) | changed


def linear(name: str) -> Row:
    sol = {"base_currency": "SOL", "instrument_type": "linear", "contract_size": 10.0}
    return instrument(CALL) | {"instrument_name": name} | sol


def venue(*options: Row, futures: list[Row] | None = None) -> ScriptedVenue:
    """A venue that quotes *options*; each list is asked for in the order chain, futures."""
    names = [row["instrument_name"] for row in options]
    listed = [linear(name) if "_USDC" in name else instrument(name) for name in names]
    bars = [[epoch_ms(NOW) - 60_000, 50.0, 53.0, 49.0, 52.25]]
    prices = {"data": [{"date": "2026-09-18", "delivery_price": 79_900.0}], "records_total": 1}
    return (
        ScriptedVenue()
        .on(CHAIN, result(list(options)), result([FUTURE] if futures is None else futures))
        .on(LIST, result(listed))
        .on(DVOL, result({"data": bars, "continuation": None}))
        .on(DELIVERED, result(prices))
        .on(INDEX, result({"index_price": 80_000.0, "estimated_delivery_price": 80_000.0}))
    )


async def harvest(deribit: ScriptedVenue, currency: str = "BTC") -> tuple[Harvest, ...]:
    return await DeribitHarvest(client=deribit.client(with_credentials=False)).harvest(currency)


async def test_one_pass_reads_everything() -> None:
    """Chain, instant, index, rate, DVOL, perpetual with funding and delivery prices."""
    (found,) = await harvest(venue(quote(), quote(PUT)))

    assert found.market.taken_at == NOW
    assert found.market.index_usd == 80_100.0
    assert found.interest_rate.tolist() == [0.01, 0.01]
    assert found.market.chain.mark_iv.tolist() == [0.5125, 0.5125]
    assert found.levels.dvol == 52.25
    (perpetual,) = found.levels.futures
    assert (perpetual.symbol, perpetual.current_funding) == ("BTC-PERPETUAL", 0.0001)
    assert np.isnan(perpetual.funding_8h)
    assert found.levels.delivered[0].price_usd == 79_900.0
    assert found.notes == ()


async def test_no_credentials_are_used() -> None:
    """Every request is of a public method, and bears no token."""
    deribit = venue(quote())
    await harvest(deribit)

    assert {body["method"].split("/")[0] for body in deribit.asked} == {"public"}
    assert set(deribit.tokens) == {None}


async def test_families_are_grouped_by_the_text_before_the_dash() -> None:
    """Linear options of several coins come in one answer and leave in one harvest each."""
    rows = [quote(LINEAR), quote("BTC_USDC-25SEP26-80000-C"), quote("BTC_USDC-25SEP26-80000-P")]
    futures = [FUTURE | {"instrument_name": "BTC_USDC-PERPETUAL"}, FUTURE]
    found = {each.family: each for each in await harvest(venue(*rows, futures=futures), "USDC")}

    assert set(found) == {"BTC_USDC", "SOL_USDC"}
    assert len(found["BTC_USDC"].market.chain) == 2
    assert found["SOL_USDC"].market.underlying == "SOL"
    assert found["SOL_USDC"].market.chain.settlement is Settlement.LINEAR
    assert [each.symbol for each in found["BTC_USDC"].levels.futures] == ["BTC_USDC-PERPETUAL"]
    assert found["SOL_USDC"].levels.futures == ()


async def test_crossed_quotes_are_told_as_they_are() -> None:
    """What the venue said is kept; quality finds it. A price of zero is none."""
    (found,) = await harvest(venue(quote(bid_price=0.02), quote(PUT, bid_price=0.0)))

    assert found.market.chain.bid[0] == 0.02 > found.market.chain.ask[0]
    assert np.isnan(found.market.chain.bid[1])


async def test_rows_that_cannot_be_used_are_noted() -> None:
    """No option's name, no instant, the same option again: left out, each with its count."""
    rows = [
        quote(),
        quote(mark_price=0.9),
        quote(PUT, creation_timestamp=None),
        quote(LATER, instrument_name="BTC-CS-1"),
        quote(LATER, instrument_name=["BTC"], bid_price=10**400),
    ]
    deribit = venue(quote()).on(CHAIN, result(rows), result([]))
    (found,) = await harvest(deribit)

    assert len(found.market.chain) == 1
    assert found.market.chain.mark.tolist() == [0.01583]
    assert found.notes == (
        "2 of 5 rows name no option",
        "1 of 5 rows do not say when they were made",
        "1 rows of BTC name an option for the second time",
    )


@pytest.mark.parametrize("method", [DVOL, DELIVERED])
async def test_what_stands_beside_may_fail(method: str) -> None:
    """The chain is kept without it, and a note says what is missing and why."""
    (found,) = await harvest(venue(quote()).on(method, error(11_050, "bad_request")))

    assert len(found.market.chain) == 1
    assert len(found.notes) == 1
    assert "not read" in found.notes[0]


async def test_the_index_is_asked_for_where_no_row_tells_it() -> None:
    """The index of the pair, for a linear family."""
    deribit = venue(quote(LINEAR, estimated_delivery_price=None))
    (found,) = await harvest(deribit, "USDC")

    assert found.market.index_usd == 80_000.0
    assert deribit.params(INDEX) == [{"index_name": "sol_usdc"}]


async def test_an_empty_list_is_no_harvest() -> None:
    """A currency in which no option is listed is empty, and no failure."""
    assert await harvest(venue(quote()).on(CHAIN, result([])), "USDC") == ()


@pytest.mark.parametrize("told", [{}, "none", [1], [{"instrument_name": "BTC-PERPETUAL"}]])
async def test_what_is_no_list_of_options_is_malformed(told: Any) -> None:
    """An object, a text, numbers, or futures only."""
    with pytest.raises(Malformed):
        await harvest(venue(quote()).on(CHAIN, result(told)))


async def test_an_unknown_currency_is_unavailable() -> None:
    """It is not asked for."""
    with pytest.raises(Unavailable, match="DOGE"):
        await harvest(venue(quote()), "DOGE")


async def test_grids_are_asked_for_every_quarter_of_an_hour() -> None:
    """Not with every pass."""
    deribit = venue(quote())
    later = NOW + timedelta(minutes=16)
    options, futures = result([quote()]), result([FUTURE])
    soon = result([quote()], at=NOW + timedelta(minutes=5))
    deribit.on(CHAIN, options, futures, soon, futures, result([quote()], at=later), futures)
    source = DeribitHarvest(client=deribit.client(with_credentials=False))
    for _ in range(3):
        await source.harvest("BTC")

    assert deribit.count(LIST) == 2


def test_a_recorded_list_becomes_columns() -> None:
    """746 options of June 2025: sorted, in units, and their marks follow from their volatility."""
    path = recorded_data() / (
        "responses/recorded/public_get_book_summary_by_currency__btc_option_full_2025-06-14.json.gz"
    )
    rows = json.loads(gzip.decompress(path.read_bytes()))
    read = read_books(rows, "recorded")
    chain = read.families["BTC"].chain
    taken_ms = chain.quoted_at_ms.max()
    tenor = (chain.expiry_ms - taken_ms) / (365 * 86_400_000)
    marks = premium_coin(chain.forward, chain.strike, tenor, chain.mark_iv, chain.is_call)

    assert (len(chain), read.notes) == (746, ())
    assert read.families["BTC"].index_usd == 105_383.56
    assert np.median(np.abs(marks - chain.mark)) < 2.5e-5
