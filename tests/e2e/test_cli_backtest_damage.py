"""`backtest run` over a past that is damaged, and into a store that is: what is told and kept."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent
from tests.support.recordings import APRIL, MARCH, Row, rewrite, rows_of, write_recording


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def recording(whole: Path, tmp_path: Path) -> Path:
    """A copy of the recording, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "recording"))


def backtest(folder: Path, recording: Path, *options: str) -> Ended:
    words = ("backtest", "run", "--market", "recorded", "--data", recording)
    kept = ("--set", f"venue.data_dir={folder}")
    return options_agent(*words, *kept, *options, cwd=folder)


def result_of(ended: Ended) -> dict[str, Any]:
    assert ended.returncode == 0, ended.stderr
    (run,) = json.loads(ended.stdout)["runs"]
    result: dict[str, Any] = run["results"][0]
    return result


def reasons(result: dict[str, Any]) -> list[str]:
    return [each["reason"] for each in result["omissions"]]


@pytest.fixture
def fast(tmp_path: Path, recording: Path) -> Any:
    """The result of BTC over the recording as it is when this is called."""
    options = ("--coins", "BTC", "--engine", "fast", "--json")
    return lambda: result_of(backtest(tmp_path, recording, *options))


def test_nothing_is_left_out_of_a_good_recording(fast: Any) -> None:
    """Weeks are sold, and no reason is given for anything."""
    result = fast()

    assert result["trades"] >= 5
    assert reasons(result) == []


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    file.write_bytes(bytes(content))


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def foreign(file: Path) -> None:
    rewrite(file, lambda _: [{"a": 1, "b": "x"}])


def in_no_zone(file: Path) -> None:
    def without_zone(rows: list[Row]) -> list[Row]:
        return [row | {"timestamp": row["timestamp"].removesuffix("+00:00")} for row in rows]

    rewrite(file, without_zone)


@pytest.mark.parametrize("damage", [cut, overwritten, emptied, foreign, in_no_zone])
def test_a_damaged_month_is_named_and_left_where_it_is(
    fast: Any, recording: Path, damage: Any
) -> None:
    """The other month is run over as if there were no other; the file is not touched."""
    (recording / APRIL).unlink()
    alone = fast()
    shutil.copy(recording / MARCH, recording / APRIL)
    damage(recording / APRIL)
    content = (recording / APRIL).read_bytes()

    result = fast()

    assert result["trades_hash"] == alone["trades_hash"]
    assert result["trades"] > 0
    assert [APRIL in reason for reason in reasons(result)] == [True]
    assert (recording / APRIL).read_bytes() == content


@pytest.mark.parametrize("engine", ["tick", "fast"])
def test_missing_days_are_named_by_either_engine(
    tmp_path: Path, recording: Path, engine: str
) -> None:
    """A hole of ten days, the weeks in it not sold, and what the period lacks at both ends."""

    def with_a_hole(rows: list[Row]) -> list[Row]:
        return [row for row in rows if not "2026-03-10" <= row["timestamp"] < "2026-03-20"]

    rewrite(recording / MARCH, with_a_hole)
    period = ("--from", "2026-02-20", "--to", "2026-04-25")
    ended = backtest(tmp_path, recording, "--coins", "BTC", "--engine", engine, *period, "--json")

    told = [reason for reason in reasons(result_of(ended)) if reason.startswith("no snapshot")]
    assert told == [
        "no snapshot for 243.5 hours",
        "no snapshot for 252.0 hours",
        "no snapshot for 248.5 hours",
    ]


@pytest.mark.parametrize(
    "options",
    [
        ("--engine", "tick"),
        ("--engine", "fast"),
        ("--strategy", "covered_call_v1", "--set", "candidates.premium_min_usd=90000"),
        ("--strategy", "gregbot"),
    ],
    ids=lambda options: options[1],
)
def test_a_run_without_trades_says_so(
    tmp_path: Path, recording: Path, options: tuple[str, ...]
) -> None:
    """From Tuesday to Thursday no rule here wants anything: not a zero without a word."""
    days = ("--from", "2026-03-03", "--to", "2026-03-05")
    result = result_of(backtest(tmp_path, recording, "--coins", "BTC", *options, *days, "--json"))

    assert result["trades"] == 0
    assert reasons(result) == ["no trade was wanted at any of 6 snapshots"]


def test_repeated_rows_change_nothing(fast: Any, recording: Path) -> None:
    """The same trades to the last bit, and how many rows were repeated."""
    before = fast()
    rewrite(recording / APRIL, lambda rows: rows + rows[::7])

    after = fast()

    assert after["trades_hash"] == before["trades_hash"]
    (reason,) = reasons(after)
    assert reason.startswith(f"{APRIL}: ")
    assert reason.endswith("rows that repeat a contract of their snapshot")


def test_rows_out_of_time_change_nothing(fast: Any, recording: Path) -> None:
    """Rows may lie in any order; a month that begins in the one before is told."""
    before = fast()
    march = rows_of(recording / MARCH)
    rewrite(recording / MARCH, lambda rows: rows[::-1])
    again = [row for row in march if row["timestamp"] >= "2026-03-30"]
    rewrite(recording / APRIL, lambda rows: rows[::-1] + again)

    after = fast()

    assert after["trades_hash"] == before["trades_hash"]
    assert reasons(after) == [f"{APRIL}: 4 snapshots of instants that an earlier file has"]


@pytest.mark.parametrize("engine", ["tick", "fast"])
def test_crossed_quotes_are_no_quotes(tmp_path: Path, recording: Path, engine: str) -> None:
    """Where every bid is above its ask nothing is sold, and either engine gives the reason."""

    def crossed(rows: list[Row]) -> list[Row]:
        return [row | {"bid_price": 0.9, "ask_price": 0.8} for row in rows]

    rewrite(recording / MARCH, crossed)
    rewrite(recording / APRIL, crossed)

    options = ("--coins", "BTC", "--engine", engine, "--json")
    result = result_of(backtest(tmp_path, recording, *options))

    assert result["trades"] == 0
    crossings = [reason for reason in reasons(result) if "crossed or locked" in reason]
    assert [reason.partition(":")[0] for reason in crossings] == [MARCH, APRIL]
    assert "no call with a bid and a delta within bounds" in reasons(result)


def test_rows_that_say_nothing_are_counted(fast: Any, recording: Path) -> None:
    """A strike below zero, a kind that is none, a timestamp that is a word: told by number."""

    def spoilt(rows: list[Row]) -> list[Row]:
        rows[0] |= {"strike": -1.0}
        rows[1] |= {"option_type": "straddle"}
        rows[2] |= {"timestamp": "yesterday"}
        rows[3] |= {"mark_price": None}
        return rows

    rewrite(recording / APRIL, spoilt)

    assert reasons(fast()) == [
        f"{APRIL}: 1 rows whose 'timestamp' is no instant in UTC, such as 'yesterday'",
        f"{APRIL}: 1 rows whose 'option_type' is neither call nor put",
        f"{APRIL}: 1 rows whose 'strike' is no positive number",
        f"{APRIL}: 1 rows without a mark",
    ]


@pytest.mark.parametrize("coins", ["BTC,ETH", "ETH,BTC"])
def test_a_coin_without_data_is_named_and_the_other_is_run(
    tmp_path: Path, recording: Path, coins: str
) -> None:
    """Whichever is first; in JSON it stands under left_out."""
    options = ("--engine", "fast", "--coins", coins)
    ended = backtest(tmp_path, recording, *options)
    in_json = json.loads(backtest(tmp_path, recording, *options, "--json").stdout)

    assert ended.returncode == 0, ended.stderr
    assert "BTC: call_rule_v1" in ended.stdout
    assert "ETH is left out:" in ended.stderr
    assert "no snapshot of ETH" in in_json["left_out"]["ETH"]
    assert [run["run"]["underlying"] for run in in_json["runs"]] == ["BTC"]


def test_no_coin_with_data_is_a_failure(tmp_path: Path, recording: Path) -> None:
    """One sentence that names the folder and the coin, and 1."""
    ended = backtest(tmp_path, recording, "--coins", "ETH")

    assert ended.returncode == 1
    assert "no snapshot of ETH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_dates_the_wrong_way_round_are_misuse(tmp_path: Path, recording: Path) -> None:
    """Both are named, with what to do."""
    ended = backtest(tmp_path, recording, "--from", "2026-04-01", "--to", "2026-03-05")

    assert ended.returncode == 2
    assert "exchange the two days" in ended.stderr


def test_the_folder_may_lie_below_the_one_named(tmp_path: Path, recording: Path) -> None:
    """One folder of chains is found; of two neither is guessed at."""
    above = tmp_path / "above"
    shutil.copytree(recording, above / "chains" / "series")
    options = ("--coins", "BTC", "--engine", "fast")
    ended = backtest(tmp_path, above, *options)
    shutil.copytree(recording, above / "others")
    doubtful = backtest(tmp_path, above, *options)

    assert ended.returncode == 0, ended.stderr
    assert doubtful.returncode == 1
    assert "others" in doubtful.stderr


def test_what_is_left_out_stands_under_the_figures(tmp_path: Path, recording: Path) -> None:
    """On the screen of the run, with how often and since when."""
    cut(recording / APRIL)
    ended = backtest(tmp_path, recording, "--coins", "BTC", "--engine", "fast")

    assert ended.returncode == 0, ended.stderr
    assert "Left out" in ended.stdout
    assert APRIL in ended.stdout


def test_a_broken_file_of_a_harvest_is_named(tmp_path: Path) -> None:
    """A snapshot cut short is left out by its name; the others of the day are run over."""
    archive = write_archive(tmp_path / "harvest", days=16)
    broken = sorted(archive.rglob("BTC*.parquet"))[10]
    cut(broken)
    options = ("--coins", "BTC", "--engine", "fast", "--json")

    result = result_of(backtest(tmp_path, archive, *options))

    assert [broken.name in reason for reason in reasons(result)] == [True]
    assert broken.exists()


def test_a_full_disk_loses_no_figures(tmp_path: Path, recording: Path) -> None:
    """Where the store can take no more the run is shown, is said not to be kept, and halts."""
    words = ("backtest", "run", "--market", "recorded", "--data", str(recording))
    options = ("--coins", "BTC", "--engine", "fast", "--set", f"venue.data_dir={tmp_path / 'data'}")

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    ended = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", *words, *options],
        cwd=tmp_path,
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 5, ended.stderr
    assert "BTC: call_rule_v1" in ended.stdout
    assert "Net P&L" in ended.stdout
    assert "could not be kept" in ended.stderr
    assert "HALTED" in ended.stderr
    again = backtest(tmp_path, recording, "--coins", "BTC", "--engine", "fast")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("backtest", "parity", "--market", "recorded", "--worlds", "fast,tick"),
        ("backtest", "pair", "--engine", "fast", "--against", "synthetic"),
    ],
    ids=["parity", "pair"],
)
def test_comparisons_leave_out_a_coin_without_data(
    tmp_path: Path, recording: Path, command: tuple[str, ...]
) -> None:
    """BTC is compared although ETH, asked for first, is not there; without both it is a failure."""
    options = ("--data", recording, "--set", f"venue.data_dir={tmp_path}")
    ended = options_agent(*command, *options, "--coins", "ETH,BTC", cwd=tmp_path)
    neither = options_agent(*command, *options, "--coins", "ETH", cwd=tmp_path)

    assert "BTC" in ended.stdout, ended.stderr
    assert "ETH is left out:" in ended.stderr
    assert neither.returncode == 1
    assert "no snapshot of ETH" in neither.stderr


@pytest.mark.parametrize("worlds", ["tick", "tick,tick"])
def test_parity_wants_two_worlds(tmp_path: Path, recording: Path, worlds: str) -> None:
    """A report that compares nothing must not look like one without a difference."""
    options = ("--market", "recorded", "--data", recording, "--worlds", worlds)
    ended = options_agent("backtest", "parity", *options, cwd=tmp_path)

    assert ended.returncode == 2
    assert "two or more different ones are wanted" in ended.stderr
