"""Other people's tables of quotes: names, units and clocks of many kinds, one market."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from adapters.files.foreign_tables import read_harvests
from adapters.files.snapshots import ParquetSnapshots
from core.simulation.listing import COINS, deribit_rules
from ports.errors import StoreDamaged
from ports.snapshots import Harvest, Source
from tests.support.harvests import keep_all, series_of, sound_harvest
from tests.support.markets import NOW
from tests.support.recorded import recorded_data

RULES = {coin: deribit_rules(coin) for coin in COINS}
Columns = dict[str, list[Any]]


def columns(at: datetime = NOW) -> Columns:
    """A sound chain as the venue's ticker would tell it."""
    harvest = sound_harvest(at)
    chain = harvest.market.chain
    return {
        "instrument_name": [each.symbol for each in chain.contracts],
        "timestamp": [round(at.timestamp() * 1000)] * len(chain),
        "underlying_price": chain.forward.tolist(),
        "index_price": [99_900.0] * len(chain),
        "mark_price": chain.mark.tolist(),
        "best_bid_price": chain.bid.tolist(),
        "best_ask_price": chain.ask.tolist(),
        "mark_iv": [55.0] * len(chain),
        "open_interest": [25.0] * len(chain),
        "volume": [3.0] * len(chain),
    }


def parquet(folder: Path, told: Mapping[str, list[Any]], name: str = "quotes.parquet") -> Path:
    pq.write_table(pa.table(dict(told)), folder / name)
    return folder / name


def read(path: Path, coin: str | None = None) -> list[Harvest]:
    return list(read_harvests(path, RULES, coin))


def same(found: Harvest, wanted: Harvest) -> bool:
    """Whether both show one market, but for the last bits of converted units."""
    one, other = found.market.chain, wanted.market.chain
    return (
        one.contracts == other.contracts
        and found.market.taken_at == wanted.market.taken_at
        and all(
            np.allclose(getattr(one, name), getattr(other, name), rtol=1e-12, equal_nan=True)
            for name in ("forward", "bid", "ask", "mark", "mark_iv", "open_interest", "volume")
        )
    )


def test_a_ticker_table_is_a_harvest(tmp_path: Path) -> None:
    """Chain, index and instant as told; the notes name the file, its hash and the unit."""
    (found,) = read(parquet(tmp_path, columns()))

    assert same(found, sound_harvest())
    assert found.market.index_usd == 99_900.0
    assert found.index_source is Source.IMPORTED
    assert "quotes.parquet, sha256 " in found.notes[0]
    assert "volatilities were in points" in found.notes


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_csv_is_read_like_parquet(tmp_path: Path, ending: str) -> None:
    """Gzipped or not."""
    plain = tmp_path / "quotes.csv"
    pacsv.write_csv(pa.table(columns()), plain)
    path = tmp_path / f"quotes{ending}"
    if ending == ".csv.gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))

    assert same(read(path)[0], sound_harvest())


@pytest.mark.parametrize(
    "renamed",
    [
        {"mark_price": "Mark Price", "mark_iv": "IV", "best_bid_price": "bid"},
        {"instrument_name": "symbol", "timestamp": "quote_datetime", "best_ask_price": "ask"},
        {"underlying_price": "forward", "index_price": "spot", "volume": "stats.volume"},
    ],
)
def test_columns_have_many_names(tmp_path: Path, renamed: dict[str, str]) -> None:
    """Case, spaces and dots do not matter, and the usual other words are known."""
    told = {renamed.get(name, name): cells for name, cells in columns().items()}

    assert same(read(parquet(tmp_path, told))[0], sound_harvest())


def test_options_without_names_are_told_by_their_terms(tmp_path: Path) -> None:
    """Coin, expiry, strike and type stand in for the name; a day is 08:00 of an expiry."""
    told = columns()
    contracts = sound_harvest().market.chain.contracts
    del told["instrument_name"]
    told |= {
        "expiration_date": [f"{each.expiry:%Y-%m-%d}" for each in contracts],
        "strike": [each.strike for each in contracts],
        "call_put": [each.kind.value.upper() for each in contracts],
    }

    assert same(read(parquet(tmp_path, told), "BTC")[0], sound_harvest())
    with pytest.raises(StoreDamaged, match="coin"):
        read(parquet(tmp_path, told))
    del told["strike"]
    with pytest.raises(StoreDamaged, match="strike"):
        read(parquet(tmp_path, told), "BTC")


def test_fractions_and_points_are_one_unit(tmp_path: Path) -> None:
    """A median below five is a fraction; what it was is noted."""
    (found,) = read(parquet(tmp_path, columns() | {"mark_iv": [0.55] * 20}))

    assert found.market.chain.mark_iv.tolist() == [0.55] * 20
    assert "volatilities were fractions" in found.notes


def test_prices_in_usd_become_coin(tmp_path: Path) -> None:
    """A call above one coin is none: all prices are divided by the forward, and it is noted."""
    told = columns()
    for name in ("mark_price", "best_bid_price", "best_ask_price"):
        told[name] = [price * 100_000.0 for price in told[name]]
    (found,) = read(parquet(tmp_path, told))

    assert same(found, sound_harvest())
    assert any("USD to coin" in note for note in found.notes)


@pytest.mark.parametrize(
    "stamp",
    [
        NOW,
        NOW.isoformat(),
        f"{NOW:%Y-%m-%d %H:%M:%S}",
        round(NOW.timestamp()),
        round(NOW.timestamp() * 1e6),
        round(NOW.timestamp() * 1e9),
        NOW.timestamp() * 1000,
    ],
    ids=["instant", "iso", "text", "s", "us", "ns", "float ms"],
)
def test_times_have_many_forms(tmp_path: Path, stamp: object) -> None:
    """Instants, texts, and numbers from seconds to nanoseconds; without a zone it is UTC."""
    (found,) = read(parquet(tmp_path, columns() | {"timestamp": [stamp] * 20}))

    assert found.market.taken_at == NOW


def test_a_day_without_an_hour_is_its_noon(tmp_path: Path) -> None:
    """A date alone says no more than that."""
    (found,) = read(parquet(tmp_path, columns() | {"timestamp": ["2026-03-02"] * 20}))

    assert found.market.taken_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_quotes_with_clocks_of_their_own_are_one_snapshot(tmp_path: Path) -> None:
    """Rows seconds apart belong together, taken at the last; the option's return begins another."""
    start = round(NOW.timestamp() * 1000)
    first, second = columns(), columns()
    first["timestamp"] = [start + 1000 * row for row in range(20)]
    second["timestamp"] = [start + 60_000 + 1000 * row for row in range(20)]
    both = {name: first[name] + second[name] for name in first}
    found = read(parquet(tmp_path, both))

    assert [len(each.market.chain) for each in found] == [20, 20]
    assert (found[0].market.taken_at - NOW).total_seconds() == 19
    assert found[0].market.chain.quoted_at_ms[0] == start


def test_snapshots_with_one_instant_each_are_told_apart(tmp_path: Path) -> None:
    """Even a minute apart, and where the second begins with an option that is new."""
    harvests = series_of(2)
    told = [columns(each.market.taken_at) for each in harvests]
    told[0] = {name: cells[2:] for name, cells in told[0].items()}
    told[0] = {name: [*cells, *cells[:2]] for name, cells in told[0].items()}
    told[0]["instrument_name"][-2:] = ["BTC-26JUN26-130000-C", "BTC-26JUN26-130000-P"]
    found = read(parquet(tmp_path, {name: told[0][name] + told[1][name] for name in told[0]}))

    assert [each.market.taken_at for each in found] == [each.market.taken_at for each in harvests]


def test_a_duplicate_is_left_out_and_noted(tmp_path: Path) -> None:
    """The first of two rows of one option and instant is kept."""
    told = {name: [*cells, cells[0]] for name, cells in columns().items()}
    told["mark_price"][-1] = 0.9
    (found,) = read(parquet(tmp_path, told))

    assert same(found, sound_harvest())
    assert any("1 rows name an option for the second time" in note for note in found.notes)


def test_rows_that_name_no_option_are_left_out_and_noted(tmp_path: Path) -> None:
    """A future among the options does not spoil them."""
    told = {name: [*cells, cells[0]] for name, cells in columns().items()}
    told["instrument_name"][-1] = "BTC-PERPETUAL"
    (found,) = read(parquet(tmp_path, told))

    assert same(found, sound_harvest())
    assert "1 of 21 rows name no option: left out" in found.notes


def test_rows_of_a_coin_without_rules_are_left_out_and_noted(tmp_path: Path) -> None:
    """Another coin in the file neither spoils it nor vanishes without a word."""
    told = {name: [*cells, cells[0]] for name, cells in columns().items()}
    told["instrument_name"][-1] = "SOL_USDC-27MAR26-150-C"
    (found,) = read(parquet(tmp_path, told))

    assert same(found, sound_harvest())
    assert "1 of 21 rows are of SOL_USDC, whose rules are not known: left out" in found.notes


def test_rows_without_a_time_are_left_out_and_noted(tmp_path: Path) -> None:
    """Nobody knows which snapshot they are of."""
    told = {name: [*cells, cells[0]] for name, cells in columns().items()}
    told["timestamp"][-1] = None
    (found,) = read(parquet(tmp_path, told))

    assert same(found, sound_harvest())
    assert "1 of 21 rows have no time: left out" in found.notes


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({name: [] for name in columns()}, "no rows"),
        ({"instrument_name": ["BTC-PERPETUAL"] * 20}, "20 of 20 rows name no option"),
        ({"timestamp": [None] * 20}, "20 of 20 rows have no time"),
    ],
)
def test_a_file_without_a_snapshot_is_damage(
    tmp_path: Path, changed: dict[str, list[Any]], reason: str
) -> None:
    """Nothing was taken over, and the reason says why."""
    types = pa.table(columns()).schema
    path = tmp_path / "quotes.parquet"
    pq.write_table(pa.table(columns() | changed, schema=types), path)

    with pytest.raises(StoreDamaged, match=reason):
        read(path)


def test_a_malformed_line_is_left_out_and_noted(tmp_path: Path) -> None:
    """One line of another number of cells is counted; the others are read."""
    path = tmp_path / "quotes.csv"
    pacsv.write_csv(pa.table(columns()), path)
    path.write_text(path.read_text() + "BTC-27MAR26,broken off\n")
    (found,) = read(path)

    assert same(found, sound_harvest())
    assert "1 lines of quotes.csv are malformed" in found.notes


def test_an_index_that_is_not_told_is_a_proxy(tmp_path: Path) -> None:
    """The forward of the nearest expiry stands in, and is marked."""
    told = columns()
    del told["index_price"]
    (found,) = read(parquet(tmp_path, told))

    assert found.market.index_usd == 100_000.0
    assert found.index_source is Source.PROXY


def test_crossed_quotes_are_taken_as_told(tmp_path: Path) -> None:
    """Quality finds them; the import does not hide them, and a price of zero is none."""
    told = columns()
    told["best_bid_price"][0], told["best_ask_price"][1] = 0.9, 0.0
    (found,) = read(parquet(tmp_path, told))

    assert found.market.chain.bid[0] == 0.9
    assert np.isnan(found.market.chain.ask[1])


@pytest.mark.parametrize("name", ["timestamp", "underlying_price", "mark_price", "mark_iv"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    """Nothing can stand in for the time, the forward, the mark or its volatility."""
    told = columns()
    del told[name]

    with pytest.raises(StoreDamaged, match=r"quotes\.parquet has no column of"):
        read(parquet(tmp_path, told))


@pytest.mark.parametrize(
    "data", [b"", b"PAR1 but not for long", b"\x00\xff\x00", b"pr\xe9x,iv\n1,2\n"]
)
@pytest.mark.parametrize("name", ["quotes.parquet", "quotes.csv", "quotes.csv.gz"])
def test_what_cannot_be_read_is_damage(tmp_path: Path, data: bytes, name: str) -> None:
    """Truncated, foreign or empty: the message names the file."""
    (tmp_path / name).write_bytes(data)

    with pytest.raises(StoreDamaged, match="quotes"):
        read(tmp_path / name)


async def test_recorded_tickers_imply_the_greeks_they_tell(tmp_path: Path) -> None:
    """Delta and vega that we work out are the venue's own within 0.0005 and a thousandth."""
    path = recorded_data() / "chains" / "btc_options_full_ticker_2026-01-17.csv.gz"
    harvests = read(path)
    await keep_all(ParquetSnapshots(tmp_path), harvests)
    archive = ParquetSnapshots(tmp_path)
    (kept,) = await archive.kept("BTC")
    ours = (await archive.table("BTC", kept.taken_at)).columns
    told = {row["instrument_name"]: row for row in pacsv.read_csv(path).to_pylist()}
    rows = [told[str(name)] for name in ours["instrument_name"].values]
    delta = np.array([row["greeks_delta"] for row in rows])
    vega = np.array([row["greeks_vega"] for row in rows])
    left_days = np.array([row["expiration_timestamp"] - row["timestamp"] for row in rows]) / 864e5

    far = left_days > 2.0
    assert kept.rows == 664
    assert np.abs(np.asarray(ours["greek_delta"].values, np.float64) - delta)[far].max() < 5e-4
    found = np.asarray(ours["greek_vega"].values, np.float64)[far]
    assert np.allclose(found, vega[far], rtol=2e-3, atol=2e-2)
