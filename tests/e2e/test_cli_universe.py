"""`universe` as a process: fitted, drawn from, checked, played, and what it refuses."""

import csv
import json
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from attrs import evolve

from apps.wiring.universe_file import universe_of, with_coin
from core.analysis.universe_free import generic
from core.simulation.universe.params import CoinUniverse
from tests.support.command_line import options_agent
from tests.support.recorded import recorded_data


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    """To the byte; another seed writes another."""
    for name, seed in (("a.csv", "3"), ("b.csv", "3"), ("c.csv", "4")):
        ended = options_agent(
            "universe", "generate", "BTC", "--seed", seed, "--paths", "2", "--days", "30",
            "--out", name, cwd=tmp_path,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr

    first, second, third = ((tmp_path / name).read_bytes() for name in ("a.csv", "b.csv", "c.csv"))
    assert first == second
    assert first != third
    rows = list(csv.DictReader(first.decode().splitlines()))
    assert len(rows) == 60
    assert {row["path"] for row in rows} == {"0", "1"}
    assert all(5.0 < float(row["vol_index"]) < 400.0 for row in rows)


def test_hours_go_to_parquet(tmp_path: Path) -> None:
    """A row an hour, prices above zero."""
    ended = options_agent(
        "universe", "generate", "ETH", "--days", "10", "--hourly", "--out", "h.parquet",
        cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    table = pq.read_table(tmp_path / "h.parquet")
    assert table.num_rows == 240
    assert np.all(table["price_usd"].to_numpy() > 0.0)


def test_drawn_chains_can_be_replayed(tmp_path: Path) -> None:
    """What generate --chains writes is an archive that a replay runs over."""
    drawn = options_agent(
        "universe", "generate", "BTC", "--days", "2", "--chains", "chains", "--every-hours", "12",
        cwd=tmp_path,
    )  # fmt: skip
    assert drawn.returncode == 0, drawn.stderr

    ended = options_agent(
        "surface", "BTC", "--json", "--set", "venue.market=replay", "--set",
        "venue.replay_data=chains", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)["expiries"]) > 8


def test_the_market_of_the_settings_can_be_the_universe(tmp_path: Path) -> None:
    """market = universe trades on the shipped figures; a tick runs on it."""
    ended = options_agent("once", "--set", "venue.market=universe", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr


def closed_form(coin: CoinUniverse) -> CoinUniverse:
    """*coin* without what rounds of simulated moments change."""
    assert coin.provenance is not None
    regimes = tuple(evolve(each, phi_iv=0.9) for each in coin.regimes.regimes)
    return evolve(
        coin,
        dynamics=generic(0.5),
        regimes=evolve(coin.regimes, regimes=regimes),
        provenance=evolve(coin.provenance, rounds=0, miss=0.0),
    )


@pytest.mark.parametrize(("coin", "other"), [("btc", "eth"), ("eth", "btc")])
def test_a_fit_adds_its_coin_to_the_file(tmp_path: Path, coin: str, other: str) -> None:
    """
    The other coin is left as it was. Of this one all but what rounds change is the shipped one to
    the bit: its regimes, hours and drift, the checksum of its files, the seed.
    """
    data, shipped = recorded_data(), universe_of(None)
    file = tmp_path / "fitted.json"
    file.write_text(with_coin(file, shipped.coin(other.upper())))
    dvol = sorted((data / "dvol").glob(f"{coin}_dvol_daily_close_*"))

    ended = options_agent(
        "universe", "fit", coin, "--rounds", "0", "--until", "2025-12-31",
        "--spot", str(data / "spot" / f"{coin}usdt_1h_2022-01_2025-12.csv.gz"),
        *(word for path in dvol for word in ("--dvol", str(path))),
        "--out", "fitted.json", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    made = universe_of(file)
    assert {each.underlying for each in made.coins} == {"BTC", "ETH"}
    assert made.coin(other.upper()) == shipped.coin(other.upper())
    assert closed_form(made.coin(coin.upper())) == closed_form(shipped.coin(coin.upper()))
    origin = made.coin(coin.upper()).provenance
    assert origin is not None
    assert origin.rounds == 0
    assert origin.last_day <= "2025-12-31"


def test_a_check_tells_every_row(tmp_path: Path) -> None:
    """A report in Markdown, as a page and as JSON, with figures and rows; few paths may fail."""
    ended = options_agent(
        "universe", "check", "ETH", "--paths", "10", "--days", "500", "--out", "r.md", "--out",
        "r.html", "--out", "r.json", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode in (0, 1), ended.stderr
    told = json.loads((tmp_path / "r.json").read_text())
    assert {each["band"]["row"] for each in told["figures"]} == set(range(1, 20))
    assert told["arbitrage"]["quote_violations"] == 0
    assert told["accepted"] is (ended.returncode == 0)
    assert "| 19 | weekend over weekday variance |" in (tmp_path / "r.md").read_text()
    assert (
        "| 21 | AUC: no recording, or one of too few windows of 30 days | - |"
        in (tmp_path / "r.md").read_text()
    )
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_a_recording_whose_prices_and_index_never_meet_is_no_bug(tmp_path: Path) -> None:
    """
    The classifier has no window to look at, and its row says so; the others are judged. What is
    missing within each is told.
    """
    began = datetime(2025, 3, 1, tzinfo=UTC)
    stamps = [began + timedelta(hours=hour) for hour in range(3_000)]
    hours = [f"{at:%Y-%m-%d %H:%M:%S},{80_000 + 700 * sin(hour)}" for hour, at in enumerate(stamps)]
    (tmp_path / "spot.csv").write_text("\n".join(["timestamp,close", *hours[:50], *hours[57:]]))
    days = [
        [int((began + timedelta(days=day)).timestamp()) * 1000, 55.0 + sin(day)]
        for day in range(300, 425)
        if day != 310
    ]
    (tmp_path / "dvol.json").write_text(json.dumps(days))
    recording = ("--spot", "spot.csv", "--dvol", "dvol.json")
    size = ("--paths", "10", "--days", "400", "--json")
    ended = options_agent("universe", "check", "BTC", *recording, *size, cwd=tmp_path)

    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "BTC: 7 of 3000 hours have no price" in ended.stderr
    assert "BTC: 1 of 125 days have no volatility index" in ended.stderr
    told = json.loads(ended.stdout)
    assert told["row_21"] is None
    assert told["row_21_usual_auc"] == []


@pytest.mark.parametrize(("hours", "told"), [(20, "less than a day"), (9_000, "too few")])
def test_a_history_too_short_for_a_fit_is_told(tmp_path: Path, hours: int, told: str) -> None:
    """A sentence with the coin, and nothing is written."""
    began = datetime(2024, 3, 1, tzinfo=UTC)
    stamps = [began + timedelta(hours=hour) for hour in range(hours)]
    rows = [f"{at:%Y-%m-%d %H:%M:%S},{80_000 + 700 * sin(hour)}" for hour, at in enumerate(stamps)]
    (tmp_path / "spot.csv").write_text("\n".join(["timestamp,close", *rows]))
    days = [[int(at.timestamp()) * 1000, 55.0 + sin(at.day)] for at in stamps[::24]]
    (tmp_path / "dvol.json").write_text(json.dumps(days))

    ended = options_agent(
        "universe", "fit", "BTC", "--spot", "spot.csv", "--dvol", "dvol.json", "--out", "u.json",
        cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr.startswith("error: BTC: ")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "u.json").exists()


@pytest.mark.parametrize(
    ("until", "told"),
    [([], "index, of BTC\n"), (["--until", "2020-01-01"], "index, of BTC until 2020-01-01\n")],
)
def test_a_history_of_nothing_is_told(tmp_path: Path, until: list[str], told: str) -> None:
    """Files without a row, and rows that are all later: a sentence, no figures."""
    prices = "timestamp,close\n" + ("2024-03-01 00:00:00,60000\n" if until else "")
    (tmp_path / "spot.csv").write_text(prices)
    (tmp_path / "dvol.json").write_text("[[1709251200000, 55.0]]")

    ended = options_agent(
        "universe", "fit", "BTC", "--spot", "spot.csv", "--dvol", "dvol.json", *until, "--out",
        "u.json", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stderr.endswith(told)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "DOGE", "--out", "x.csv"],
        ["generate", "BTC"],
        ["generate", "BTC", "--out", "x.txt"],
        ["fit", "BTC", "--out", "x.json"],
        ["check", "BTC", "--spot", "x.csv", "--paths", "10", "--days", "400"],
        ["check", "BTC", "--chains", "x", "--paths", "10", "--days", "400"],
        ["fit", "BTC", "--spot", "a", "--dvol", "b", "--until", "soon", "--out", "x.json"],
    ],
)
def test_misuse(tmp_path: Path, words: list[str]) -> None:
    """An unknown coin, nothing to write, half a recording: said in a sentence, exit code 2."""
    ended = options_agent("universe", *words, cwd=tmp_path)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "BTC", "--model", "absent.json", "--out", "x.csv"],
        ["generate", "BTC", "--model", "foreign.json", "--out", "x.csv"],
        ["fit", "BTC", "--spot", "absent.csv", "--dvol", "absent.csv", "--out", "x.json"],
    ],
)
def test_a_file_that_is_not_there_or_not_ours(tmp_path: Path, words: list[str]) -> None:
    """It fails, as any missing or damaged store does, and names the file."""
    (tmp_path / "foreign.json").write_text('{"type": "Something", "version": 1}')

    ended = options_agent("universe", *words, cwd=tmp_path)

    assert ended.returncode == (5 if "foreign.json" in words else 1)
    assert "Traceback" not in ended.stderr
    assert "absent" in ended.stderr or "foreign" in ended.stderr
