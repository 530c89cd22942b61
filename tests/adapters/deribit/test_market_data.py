"""DeribitMarketData: a chain out of summaries, instruments, index and tickers."""

import gzip
import json
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import numpy as np
import pytest

from adapters.deribit.market_data import DeribitMarketData
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.errors import Malformed, Unavailable
from ports.instruments import ContractRules, OptionContract, TickStep
from tests.support.deribit_market import (
    CALL,
    CHAIN,
    INDEX,
    LATER,
    LIST,
    PUT,
    TICKER,
    Row,
    instrument,
    snapshot,
    summary,
    ticker,
    venue,
)
from tests.support.deribit_venue import NOW, error, raw, result
from tests.support.recorded import recorded_data

RECORDED = "responses/recorded"


async def chain(*summaries: Row, listed: list[Row] | None = None) -> ChainTable:
    return (await snapshot(venue(*summaries, listed=listed))).chain


async def test_percent_becomes_fractions_and_the_rest_stays() -> None:
    """A row says what the venue said, IV as a fraction, amounts unknown."""
    table = await chain(summary())

    assert table.contracts == (OptionContract.from_symbol(CALL),)
    assert (table.bid[0], table.ask[0], table.mark[0]) == (0.0155, 0.0165, 0.01583)
    assert table.mark_iv[0] == pytest.approx(0.5125, abs=1e-15)
    assert (table.forward[0], table.open_interest[0], table.volume[0]) == (80_250.5, 12.5, 3.5)
    assert np.isnan([table.bid_amount[0], table.ask_amount[0]]).all()
    assert table.quoted_at_ms[0] == epoch_ms(NOW) - 5


async def test_a_snapshot_is_of_the_venue_s_time() -> None:
    """Taken when the index was told, which is the last question."""
    later = NOW + timedelta(seconds=1)
    deribit = venue(summary()).on(INDEX, result({"index_price": 80_000.0}, at=later))
    seen = await snapshot(deribit)

    assert seen.taken_at == later
    assert seen.index_usd == 80_000.0
    assert deribit.params(INDEX) == [{"index_name": "btc_usd"}]
    assert deribit.params(CHAIN) == [{"currency": "BTC", "kind": "option"}]


async def test_a_contract_that_expires_meanwhile_is_not_listed() -> None:
    """Quoted a second before eight, gone at eight when the index was told."""
    eight = OptionContract.from_symbol(CALL).expiry
    before = eight - timedelta(seconds=1)
    deribit = venue(summary(), summary(LATER), at=before)
    deribit.on(INDEX, result({"index_price": 80_000.0}, at=eight))

    assert [each.symbol for each in (await snapshot(deribit)).chain.contracts] == [LATER]


async def test_no_quote_is_later_than_the_snapshot() -> None:
    """The venue's clocks differ a little; a quote a second ahead is one of now."""
    ahead = epoch_ms(NOW) + 1000
    table = await chain(summary(creation_timestamp=ahead))

    assert table.quoted_at_ms.tolist() == [epoch_ms(NOW)]


async def test_rows_are_sorted_whatever_the_venue_does() -> None:
    """By expiry, strike, calls first."""
    table = await chain(summary(LATER), summary(PUT), summary(CALL))

    assert [contract.symbol for contract in table.contracts] == [CALL, PUT, LATER]


@pytest.mark.parametrize("absent", [None, 0.0, -0.01, "0.01", 1e308])
async def test_an_absent_bid_is_absent(absent: object) -> None:
    """Null and nonsense are NaN, and the other side stays."""
    table = await chain(summary(bid_price=absent))

    assert isnan(table.bid[0])
    assert table.ask[0] == 0.0165


@pytest.mark.parametrize(
    "changed",
    [
        {"mark_price": None},
        {"mark_price": "0.01"},
        {"mark_price": 1e308},
        {"creation_timestamp": epoch_ms(NOW) + 60_000},
        {"instrument_name": "BTC-25SEP26-80000-X"},
        {"instrument_name": "BTC_USDC-25SEP26-80000-C"},
        {"instrument_name": "BTC-11SEP26-80000-C"},
        {"creation_timestamp": "now"},
    ],
)
async def test_an_unusable_row_hides_no_other(changed: Row) -> None:
    """No mark, a time to come, an unlisted or expired contract: left out, alone."""
    expired = instrument("BTC-11SEP26-80000-C")
    table = await chain(
        summary(**changed), summary(LATER), listed=[instrument(), instrument(LATER), expired]
    )

    assert [contract.symbol for contract in table.contracts] == [LATER]


async def test_a_chain_without_a_usable_row_is_malformed() -> None:
    """Then the venue has told nothing."""
    with pytest.raises(Malformed, match="none of 1"):
        await chain(summary(mark_price=None))


async def test_a_mark_of_zero_is_a_mark() -> None:
    """Far out of the money the venue's mark rounds to nothing."""
    table = await chain(summary(mark_price=0.0, bid_price=None, ask_price=0.0001, mark_iv=0.0))

    assert (table.mark[0], table.ask[0]) == (0.0, 0.0001)
    assert isnan(table.mark_iv[0])


@pytest.mark.parametrize(
    ("bid", "ask"), [(0.0165, 0.0165), (0.017, 0.0165), (0.01551, None), (None, 0.00511)]
)
async def test_quotes_that_cannot_be_are_absent(bid: float | None, ask: float | None) -> None:
    """Crossed, locked, or off the grid."""
    table = await chain(summary(bid_price=bid, ask_price=ask))

    assert isnan(table.bid[0])
    assert isnan(table.ask[0])


@pytest.mark.parametrize("changed", [{"state": "halted"}, {"is_active": False}, {"tick_size": 0.1}])
async def test_a_contract_that_cannot_be_traded_is_shown_without_quotes(changed: Row) -> None:
    """Halted, or on a grid of its own: mark yes, quotes no."""
    rows = [instrument(**changed), instrument(PUT), instrument(LATER)]
    table = await chain(summary(), summary(PUT), summary(LATER), listed=rows)

    assert np.isnan(table.bid).tolist() == np.isnan(table.ask).tolist() == [True, False, False]
    assert np.isfinite(table.mark).all()


@pytest.mark.parametrize(
    "changed",
    [
        {"strike": -80_000.0},
        {"instrument_type": "linear"},
        {"kind": "option_combo"},
        {"base_currency": "ETH"},
        {"contract_size": 10.0},
        {"strike": 81_000.0},
        {"strike": None},
        {"option_type": "put"},
        {"expiration_timestamp": epoch_ms(NOW)},
        {"taker_commission": -0.1},
    ],
)
async def test_an_instrument_that_is_not_what_its_name_says_is_left_out(changed: Row) -> None:
    """The record decides, and must agree with the name."""
    rows = [instrument(**changed), instrument(LATER)]
    table = await chain(summary(), summary(LATER), listed=rows)

    assert [contract.symbol for contract in table.contracts] == [LATER]


async def test_rules_are_those_of_the_instruments() -> None:
    """Ticks, steps, amounts and the fee are read, not assumed."""
    seen = await snapshot(
        venue(summary(), listed=[instrument(min_trade_amount=0.2, taker_commission=0.0004)])
    )

    assert seen.rules == ContractRules(
        tick_size=0.0001,
        tick_steps=(TickStep(0.005, 0.0005),),
        amount_step=0.2,
        min_amount=0.2,
        trade_fee_coin=0.0004,
    )


async def test_instruments_are_asked_for_once() -> None:
    """The long list is kept as long as it knows every name."""
    deribit = venue(summary())
    market = DeribitMarketData(client=deribit.client())
    for _ in range(3):
        await market.snapshot("BTC")

    assert deribit.count(LIST) == 1
    assert deribit.count(CHAIN) == deribit.count(INDEX) == 3


@pytest.mark.parametrize(
    ("minutes", "names", "asked"),
    [(14, [CALL], 1), (16, [CALL], 2), (0.9, [CALL, LATER], 1), (1.1, [CALL, LATER], 2)],
)
async def test_instruments_are_asked_for_again(
    minutes: float, names: list[str], asked: int
) -> None:
    """After a quarter of an hour, or when a new name is quoted, but once a minute at most."""
    deribit = venue(summary())
    market = DeribitMarketData(client=deribit.client())
    await market.snapshot("BTC")
    then = NOW + timedelta(minutes=minutes)
    for method, reply in venue(*(summary(name) for name in names), at=then).replies.items():
        deribit.replies[method] = reply
    seen = await market.snapshot("BTC")

    assert deribit.count(LIST) == asked
    assert len(seen.chain) == (len(names) if asked == 2 else 1)


def the_call(table: ChainTable) -> list[int]:
    """The focus of these tests."""
    return [row for row, contract in enumerate(table.contracts) if contract.symbol == CALL]


async def focused(*tickers: Row | None, **options: Any) -> ChainTable:
    deribit = venue(summary(), summary(PUT)).on(TICKER, *(result(each) for each in tickers))
    market = DeribitMarketData(client=deribit.client(), focus=the_call, **options)
    table = (await market.snapshot("BTC")).chain
    assert deribit.params(TICKER) == [{"instrument_name": CALL}]
    return table


async def test_a_contract_in_focus_has_amounts() -> None:
    """Its row is that of the ticker, the others stay."""
    table = await focused(ticker())

    assert (table.bid[0], table.bid_amount[0]) == (0.016, 4.0)
    assert (table.ask[0], table.ask_amount[0]) == (0.0165, 0.7)
    assert (table.mark[0], table.forward[0], table.open_interest[0]) == (0.0161, 80_260.0, 13.0)
    assert table.mark_iv[0] == pytest.approx(0.52, abs=1e-15)
    assert table.quoted_at_ms.tolist() == [epoch_ms(NOW), epoch_ms(NOW) - 5]
    assert (table.bid[1], table.mark[1]) == (0.0155, 0.01583)
    assert isnan(table.bid_amount[1])


@pytest.mark.parametrize("absent", [0.0, None])
async def test_zero_is_how_a_ticker_says_absent(absent: float | None) -> None:
    """No bid is NaN with an amount of NaN."""
    table = await focused(ticker(best_bid_price=absent, best_bid_amount=absent))

    assert isnan(table.bid[0])
    assert isnan(table.bid_amount[0])
    assert table.ask[0] == 0.0165


async def test_a_halted_contract_in_focus_has_no_quotes() -> None:
    """Whatever its book shows."""
    table = await focused(ticker(state="halted"))

    assert isnan(table.bid[0])
    assert isnan(table.ask_amount[0])


async def test_a_ticker_without_a_mark_changes_nothing() -> None:
    """The row of the summary stays."""
    assert (await focused(ticker(mark_price=None))).mark[0] == 0.01583


async def test_a_ticker_of_another_contract_is_malformed() -> None:
    """What was not asked for is not believed."""
    with pytest.raises(Malformed, match=PUT):
        await focused(ticker(PUT))


async def test_no_more_tickers_than_allowed() -> None:
    """The focus may be wide; the number of questions is not."""
    deribit = venue(summary(), summary(PUT), summary(LATER)).on(TICKER, result(ticker()))
    market = DeribitMarketData(
        client=deribit.client(),
        focus=lambda table: range(len(table)),
        most_tickers=1,
    )
    await market.snapshot("BTC")

    assert deribit.count(TICKER) == 1


@pytest.mark.parametrize("underlying", ["DOGE", "btc"])
async def test_an_underlying_without_inverse_options_is_unavailable(underlying: str) -> None:
    """It is refused before the venue is asked."""
    deribit = venue(summary())
    with pytest.raises(Unavailable):
        await snapshot(deribit, underlying)
    assert deribit.asked == []


@pytest.mark.parametrize(("method", "told"), [(CHAIN, {}), (LIST, []), (LIST, {}), (LIST, [{}])])
async def test_a_list_of_another_shape_is_malformed(method: str, told: Any) -> None:
    """No rows, no chain."""
    with pytest.raises(Malformed, match=method):
        await snapshot(venue(summary()).on(method, result(told)))


@pytest.mark.parametrize("method", [CHAIN, LIST, INDEX])
async def test_a_view_without_one_of_its_parts_is_none(method: str) -> None:
    """No answer, no snapshot."""
    with pytest.raises(Unavailable):
        await snapshot(venue(summary()).on(method, raw(503, "")))
    with pytest.raises(Unavailable):
        await snapshot(venue(summary()).on(method, error(11051)))


@pytest.mark.parametrize("index", [None, 0.0, -1.0, "80000"])
async def test_an_index_that_is_no_price_is_malformed(index: object) -> None:
    """Nothing is decided without an index."""
    with pytest.raises(Malformed, match="index_price"):
        await snapshot(venue(summary(), index=index))


async def test_a_recorded_chain_is_read_whole() -> None:
    """All 746 options that the venue quoted on 14 June 2025 are in the chain, and parity holds."""
    path = (
        "responses/recorded/public_get_book_summary_by_currency__btc_option_full_2025-06-14.json.gz"
    )
    rows = json.loads(gzip.decompress((recorded_data() / path).read_bytes()))
    at = datetime(2025, 6, 14, 21, 58, 20, tzinfo=NOW.tzinfo)
    table = (await snapshot(venue(*rows, at=at, index=105_383.56))).chain

    assert len(table) == len(rows) == 746
    assert np.isfinite(table.mark).all()
    assert np.isfinite(table.forward).all()
    assert (table.mark_iv[np.isfinite(table.mark_iv)] < 5).all()
    calls, puts = table.where(table.is_call), table.where(~table.is_call)
    assert np.array_equal(calls.strike, puts.strike)
    parity = calls.mark - puts.mark - (1 - calls.strike / calls.forward)
    assert np.abs(parity).max() < 2e-3


async def test_recorded_instruments_have_the_rules_of_their_day() -> None:
    """The listing of May 2026 says ticks, steps, amounts and fee as our simulation has them."""
    name = "public_get_instruments__btc_option_2026-05-22.json"
    rows = json.loads((recorded_data() / RECORDED / name).read_bytes())["result"]
    at = datetime(2026, 5, 22, 12, tzinfo=NOW.tzinfo)
    quoted = [summary(row["instrument_name"], creation_timestamp=epoch_ms(at)) for row in rows]
    seen = await snapshot(venue(*quoted, listed=rows, at=at))

    assert len(seen.chain) == len(rows)
    assert seen.rules == ContractRules(
        tick_size=0.0001,
        tick_steps=(TickStep(0.005, 0.0005),),
        amount_step=0.1,
        min_amount=0.1,
        trade_fee_coin=0.0003,
    )
