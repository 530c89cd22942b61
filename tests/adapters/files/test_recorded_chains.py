"""Other people's recordings: what they hold, and what is done with a damaged one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.files.recorded_chains import RecordedChains
from core.pricing.black76 import delta, premium_coin
from core.pricing.implied import implied_vol
from core.simulation.listing import COINS, deribit_rules
from ports.errors import StoreUnwritable, Unavailable
from ports.market_data import MarketSnapshot
from tests.support.markets import snapshot
from tests.support.recorded import recorded_chains, sample

AT = datetime(2026, 2, 1, 4, 54, 2, 172460, tzinfo=UTC)
LATER = AT + timedelta(hours=5)
RULES = {coin: deribit_rules(coin) for coin in COINS}


async def sampled(underlying: str) -> list[MarketSnapshot]:
    archive = recorded_chains()
    instants = sample(await archive.instants(underlying))
    return [await archive.load(underlying, instant) for instant in instants]


@pytest.mark.parametrize("underlying", COINS)
async def test_every_snapshot_is_found(underlying: str) -> None:
    """There are 604 of each coin, from December 2025 to May 2026, oldest first."""
    archive = recorded_chains()
    instants = await archive.instants(underlying)

    assert len(instants) == 604
    assert list(instants) == sorted(set(instants))
    assert f"{instants[0]:%Y-%m-%d %H:%M}" == "2025-12-30 17:31"
    assert f"{instants[-1]:%Y-%m}" == "2026-05"
    assert [at for at, _ in await archive.index_prices(underlying)] == list(instants)


@pytest.mark.parametrize("underlying", COINS)
async def test_recorded_rows_are_sorted_and_alive(underlying: str) -> None:
    """Contracts come by expiry, strike and kind, none twice, none expired."""
    for recorded in await sampled(underlying):
        contracts = recorded.chain.contracts
        assert len(contracts) > 600
        assert list(contracts) == sorted(set(contracts))
        assert contracts[0].expiry > recorded.taken_at


@pytest.mark.parametrize("underlying", COINS)
async def test_recorded_quotes_are_in_order(underlying: str) -> None:
    """Bids are below asks, on ticks but for four known ones, and no quote is zero."""
    off_tick = 0
    for recorded in await sampled(underlying):
        chain = recorded.chain
        assert not (chain.bid >= chain.ask).any()
        quotes = np.concatenate([chain.bid, chain.ask])
        quotes = quotes[~np.isnan(quotes)]
        assert (quotes > 0).all()
        off_tick += sum(not recorded.rules.is_on_tick(price) for price in quotes)

    assert off_tick <= 4


@pytest.mark.parametrize("underlying", COINS)
async def test_marks_follow_from_their_volatility(underlying: str) -> None:
    """Black-76 of the mark's volatility, over the forward, is the mark: 2.5e-5 coin, median."""
    medians = []
    for recorded in await sampled(underlying):
        chain = recorded.chain
        years = chain.years_left(recorded.taken_at)
        marks = premium_coin(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call)
        medians.append(np.median(np.abs(marks - chain.mark)))

    assert max(medians) < 2.5e-5


@pytest.mark.parametrize("underlying", COINS)
async def test_volatility_follows_from_marks(underlying: str) -> None:
    """Beyond 30 days and from delta 0.15 to 0.85 a mark implies its volatility to 0.01 points."""
    misses = []
    for recorded in await sampled(underlying):
        chain = recorded.chain
        years = chain.years_left(recorded.taken_at)
        deltas = delta(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call)
        far = chain.where((years > 30 / 365) & (np.abs(np.abs(deltas) - 0.5) < 0.35))
        iv, _ = implied_vol(
            far.mark, far.forward, far.strike, far.years_left(recorded.taken_at), far.is_call
        )
        misses.append(np.abs(iv - far.mark_iv))

    assert np.median(np.concatenate(misses)) < 1e-4


def columns(**changed: list[Any]) -> dict[str, list[Any]]:
    """Four rows of two snapshots, in no order."""
    return {
        "timestamp": [LATER.isoformat(), AT.isoformat(), AT.isoformat(), AT.isoformat()],
        "instrument_name": [
            *("BTC-6FEB26-80000-C", "BTC-6FEB26-80000-P"),
            *("BTC-6FEB26-80000-C", "BTC-6FEB26-70000-P"),
        ],
        "expiry_datetime": ["2026-02-06T08:00:00+00:00"] * 4,
        "strike": [80_000.0, 80_000.0, 80_000.0, 70_000.0],
        "option_type": ["call", "put", "call", "put"],
        "underlying": [79_000.0] * 4,
        "bid_price": [0.01, None, 0.01, 0.004],
        "ask_price": [0.0105, 0.022, 0.0105, 0.0041],
        "mark_price": [0.0102, 0.021, 0.0101, 0.00405],
        "implied_volatility": [0.5, 0.51, 0.52, 0.6],
        "open_interest": [10.0, 20.0, 30.0, 40.0],
        "volume": [100.0, 12.9, 0.9, None],
        "index_price": [79_100.0, 78_900.0, 79_050.0, 78_950.0],
    } | changed


def written(directory: Path, **changed: list[Any]) -> RecordedChains:
    """The recording of *columns* in *directory*."""
    table = pa.table(columns(**changed))
    pq.write_table(table, directory / "btc_chain_2026-02.parquet")
    return RecordedChains(directory, RULES)


async def test_a_chain_is_read(tmp_path: Path) -> None:
    """Rows are sorted, the index is the median of theirs, an empty quote is NaN."""
    archive = written(tmp_path)
    read = await archive.load("BTC", AT)

    assert await archive.instants("BTC") == (AT, LATER)
    assert read.index_usd == 78_950.0
    assert [contract.symbol for contract in read.chain.contracts] == [
        "BTC-6FEB26-70000-P",
        "BTC-6FEB26-80000-C",
        "BTC-6FEB26-80000-P",
    ]
    assert read.chain.mark_iv.tolist() == [0.6, 0.52, 0.51]
    assert read.chain.forward.tolist() == [79_000.0] * 3
    assert np.array_equal(read.chain.bid, [0.004, 0.01, np.nan], equal_nan=True)


async def test_amounts_are_a_tenth_of_the_volume(tmp_path: Path) -> None:
    """In whole steps, rounded down; none where that is nothing, or where nothing is quoted."""
    chain = (await written(tmp_path).load("BTC", AT)).chain

    assert np.array_equal(chain.bid_amount, [np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(chain.ask_amount, [np.nan, np.nan, 1.2], equal_nan=True)


@pytest.mark.parametrize(
    ("bid", "ask"), [(0.02, 0.01), (0.01, 0.01), (0.0, 0.0), (np.inf, np.nan), (-0.1, -0.2)]
)
async def test_quotes_that_cannot_be_are_none(tmp_path: Path, bid: float, ask: float) -> None:
    """Crossed and locked pairs, zeros and what is no price are not quoted."""
    archive = written(tmp_path, bid_price=[0.01, bid, bid, bid], ask_price=[0.02, ask, ask, ask])
    chain = (await archive.load("BTC", AT)).chain

    assert np.isnan([chain.bid, chain.ask, chain.bid_amount, chain.ask_amount]).all()
    assert (await archive.load("BTC", LATER)).chain.bid.tolist() == [0.01]


async def test_rows_without_a_mark_are_left_out(tmp_path: Path) -> None:
    """An empty mark is not filled in; a mark of zero is one."""
    archive = written(tmp_path, mark_price=[0.1, None, 0.0, 0.004])

    assert (await archive.load("BTC", AT)).chain.mark.tolist() == [0.004, 0.0]
    assert await told(archive) == [(FILE, "1 rows without a mark")]


async def test_an_empty_directory_has_no_instants(tmp_path: Path) -> None:
    """Nor has one that is not there, or one with other files."""
    (tmp_path / "README.md").write_text("nothing here")

    assert await RecordedChains(tmp_path, RULES).instants("BTC") == ()
    assert await RecordedChains(tmp_path / "none", RULES).instants("BTC") == ()


async def test_what_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Another instant, another coin, a coin without contract rules."""
    archive = written(tmp_path)

    with pytest.raises(Unavailable, match="no snapshot"):
        await archive.load("BTC", AT + timedelta(seconds=1))
    with pytest.raises(Unavailable, match="no snapshot of ETH"):
        await archive.load("ETH", AT)
    with pytest.raises(Unavailable, match="contract rules"):
        await RecordedChains(tmp_path, {}).load("BTC", AT)


FILE = "btc_chain_2026-02.parquet"


async def told(archive: RecordedChains) -> list[tuple[str, str]]:
    return [(each.file, each.reason) for each in await archive.skipped("BTC")]


async def only_reason(archive: RecordedChains) -> str:
    """Why the file as a whole is passed over."""
    assert await archive.instants("BTC") == ()
    ((file, reason),) = await told(archive)
    assert file == FILE
    return reason


async def test_of_a_good_recording_nothing_is_passed_over(tmp_path: Path) -> None:
    """Neither of a small one nor of the ten months that were recorded."""
    assert await told(written(tmp_path)) == []
    for coin in COINS:
        assert await recorded_chains().skipped(coin) == ()


async def test_a_file_that_is_not_parquet_is_passed_over(tmp_path: Path) -> None:
    """It is named with the reason, and the months beside it are read."""
    archive = written(tmp_path)
    (tmp_path / "btc_chain_2026-03.parquet").write_bytes(b"PAR1 but not for long")

    ((file, reason),) = await told(archive)
    assert file == "btc_chain_2026-03.parquet"
    assert "as a table" in reason
    assert await archive.instants("BTC") == (AT, LATER)


async def test_a_file_cut_short_is_passed_over(tmp_path: Path) -> None:
    """A copy that was broken off does not pass for a whole one, nor do flipped bytes."""
    archive = written(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-100])

    assert "as a table" in await only_reason(archive)


@pytest.mark.parametrize("name", sorted(columns()))
async def test_a_file_without_a_column_is_passed_over(tmp_path: Path, name: str) -> None:
    """The reason names the column."""
    pq.write_table(pa.table(columns()).drop_columns(name), tmp_path / FILE)

    assert f"no column '{name}'" in await only_reason(RecordedChains(tmp_path, RULES))


@pytest.mark.parametrize("name", sorted(columns()))
async def test_a_file_of_foreign_types_is_passed_over(tmp_path: Path, name: str) -> None:
    """Truths in place of texts and numbers are not made into them."""
    archive = written(tmp_path, **{name: [True, False, True, False]})

    assert f"'{name}' holds" in await only_reason(archive)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("timestamp", "yesterday", "1 rows whose 'timestamp' is no instant in UTC"),
        ("timestamp", "2026-02-01T04:54:02", "such as '2026-02-01T04:54:02'"),
        ("expiry_datetime", "2026-02-06T08:00:00+01:00", "1 rows whose 'expiry_datetime'"),
        ("expiry_datetime", None, "1 rows whose 'expiry_datetime' is no instant in UTC"),
        ("option_type", "straddle", "1 rows whose 'option_type' is neither call nor put"),
        ("option_type", None, "1 rows whose 'option_type' is neither call nor put"),
        ("instrument_name", "ETH-6FEB26-70000-P", "1 rows whose 'instrument_name' is not of BTC"),
        ("instrument_name", "BTC_USDC-6FEB26-70000-P", "such as 'BTC_USDC-6FEB26-70000-P'"),
        ("instrument_name", None, "1 rows whose 'instrument_name' is not of BTC"),
        ("strike", 0.0, "1 rows whose 'strike' is no positive number"),
        ("strike", None, "1 rows whose 'strike' is no positive number"),
        ("underlying", float("inf"), "1 rows whose 'underlying' is no positive number"),
        ("mark_price", -0.1, "1 rows without a mark"),
    ],
)
async def test_a_row_of_no_use_is_left_out(
    tmp_path: Path, name: str, value: object, reason: str
) -> None:
    """What cannot be a contract or a price is told and not passed on; the rows beside it are."""
    cells = columns()[name]
    archive = written(tmp_path, **{name: [*cells[:3], value]})

    assert (await archive.load("BTC", AT)).chain.strike.tolist() == [80_000.0, 80_000.0]
    ((file, words),) = await told(archive)
    assert file == FILE
    assert reason in words


async def test_an_index_that_is_no_price_is_not_counted(tmp_path: Path) -> None:
    """The median is over the other rows; a snapshot in which no row has one is left out."""
    archive = written(tmp_path, index_price=[-1.0, 78_900.0, None, 78_950.0])

    assert await archive.index_prices("BTC") == ((AT, 78_925.0),)
    assert [reason for _, reason in await told(archive)] == [
        "2 rows whose 'index_price' is no price near the forward",
        "1 snapshots without an index price",
    ]


async def test_an_index_far_from_its_forward_is_none(tmp_path: Path) -> None:
    """Nothing lies at twice or half of its forward: a slipped digit is no price to settle at."""
    archive = written(tmp_path, index_price=[7_910_000.0, 78_900.0, 158_000.0, 39_500.0])

    assert await archive.index_prices("BTC") == ((AT, 78_900.0),)
    assert [reason for _, reason in await told(archive)] == [
        "3 rows whose 'index_price' is no price near the forward",
        "1 snapshots without an index price",
    ]


async def test_a_file_without_rows_is_told(tmp_path: Path) -> None:
    """It has the columns and nothing in them."""
    pq.write_table(pa.table(columns()).slice(0, 0), tmp_path / FILE)

    assert await only_reason(RecordedChains(tmp_path, RULES)) == "no rows"


async def test_a_repeated_contract_counts_once(tmp_path: Path) -> None:
    """The first row of it stands, in the chain and in the index; the others are told."""
    good = columns()
    written(tmp_path)
    plain = await RecordedChains(tmp_path, RULES).load("BTC", AT)
    repeated = {name: [*cells, cells[2], cells[2]] for name, cells in good.items()}
    repeated["bid_price"][-2:] = [0.003, 0.002]
    repeated["index_price"][-2:] = [90_000.0, 91_000.0]
    archive = written(tmp_path, **repeated)

    read = await archive.load("BTC", AT)
    assert read.index_usd == plain.index_usd
    assert np.array_equal(read.chain.bid, plain.chain.bid, equal_nan=True)
    assert await told(archive) == [(FILE, "2 rows that repeat a contract of their snapshot")]


async def test_crossed_quotes_are_told(tmp_path: Path) -> None:
    """How many pairs were taken for none, locked ones too."""
    archive = written(tmp_path, bid_price=[0.02, 0.03, 0.0105, 0.004])

    assert await told(archive) == [(FILE, "3 quotes that are crossed or locked")]


async def test_of_a_snapshot_in_two_files_the_first_stands(tmp_path: Path) -> None:
    """A clock that went back over the turn of the month makes no snapshot count twice."""
    written(tmp_path)
    again = columns(index_price=[50_000.0] * 4)
    pq.write_table(pa.table(again), tmp_path / "btc_chain_2026-03.parquet")
    archive = RecordedChains(tmp_path, RULES)

    assert await archive.index_prices("BTC") == ((AT, 78_950.0), (LATER, 79_100.0))
    assert await told(archive) == [
        (
            "btc_chain_2026-03.parquet",
            "2 snapshots of instants that an earlier file has",
        )
    ]


async def test_a_recording_is_not_written_to(tmp_path: Path) -> None:
    """Saving is refused, and nothing is changed."""
    archive = written(tmp_path)
    before = (tmp_path / "btc_chain_2026-02.parquet").read_bytes()

    with pytest.raises(StoreUnwritable, match="read only"):
        await archive.save(snapshot())
    assert (tmp_path / "btc_chain_2026-02.parquet").read_bytes() == before
