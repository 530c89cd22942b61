"""`options-agent data` as processes, against a paper exchange that is a process too."""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.files.snapshots import ParquetSnapshots
from ports.snapshots import MarketLevels
from tests.support.archives import write_archive
from tests.support.command_line import options_agent
from tests.support.harvests import keep_all, series_of
from tests.support.wire_processes import address, exchange_process

_LONGEST_S = 120


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with exchange_process(cwd=tmp_path_factory.mktemp("exchange")) as served:
        yield served


def harvest(*options: str, port: int) -> list[str]:
    return ["data", "harvest", "--venue", "exchange", *address(port), *options]


def archive(root: Path, count: int = 8, hours: float = 6.0) -> Path:
    asyncio.run(keep_all(ParquetSnapshots(root), series_of(count, timedelta(hours=hours))))
    return root


def test_one_pass_of_a_served_exchange(tmp_path: Path, port: int) -> None:
    """Both coins are kept with levels and greeks; lists and judgements say so."""
    ended = options_agent(*harvest("--once", "--json", port=port), cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    done = json.loads(ended.stdout)
    root = tmp_path / "data" / "live_deribit"
    assert [each["family"] for each in done["kept"]] == ["BTC", "ETH"]
    assert done["empty"] == ["USDC"]
    row = pq.read_table(root / done["kept"][0]["file"]).to_pylist()[0]
    assert row["greeks_source"] == "computed"

    levels = asyncio.run(_levels(root))
    assert 5.0 < levels.dvol < 300.0
    assert levels.futures[0].symbol == "BTC-PERPETUAL"
    assert levels.delivered[0].price_usd > 0

    listed = json.loads(options_agent("data", "list", "--json", cwd=tmp_path).stdout)
    assert [each["snapshots"] for each in listed["families"]] == [1, 1]
    judged = options_agent("data", "health", "--json", cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert {each["status"] for each in json.loads(judged.stdout)["families"]} == {"ok"}


async def _levels(root: Path) -> MarketLevels:
    found = ParquetSnapshots(root)
    return await found.levels("BTC", (await found.instants("BTC"))[0])


def test_a_harvest_that_is_killed_leaves_whole_snapshots(tmp_path: Path, port: int) -> None:
    """kill -9 while a file is being written: all that is told can be read, and the next goes on."""
    root = tmp_path / "archive"
    for _ in range(2):
        command = harvest("--coins", "BTC", "--interval", "0.01", "--root", str(root), port=port)
        with subprocess.Popen(
            [sys.executable, "-m", "apps.cli.main", *command],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # one pass is done
            while process.poll() is None and not _half_written(root):
                pass
            process.send_signal(signal.SIGKILL)
    listed = json.loads(
        options_agent("data", "list", "--json", "--root", root, cwd=tmp_path).stdout
    )
    judged = options_agent("data", "health", "--json", "--root", root, cwd=tmp_path)

    assert listed["families"][0]["skipped_files"] == 0
    assert listed["families"][0]["snapshots"] >= 2
    assert judged.returncode == 0, judged.stdout
    again = options_agent(
        *harvest("--once", "--coins", "BTC", "--root", str(root), port=port), cwd=tmp_path
    )
    assert again.returncode == 0, again.stderr


def _half_written(root: Path) -> bool:
    return any(root.rglob("*.tmp"))


def test_a_full_disk_is_named(tmp_path: Path, port: int) -> None:
    """The pass fails with the reason, and the archive is as readable as it was."""

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "apps.cli.main",
            *harvest("--once", "--coins", "BTC", "--root", str(tmp_path / "archive"), port=port),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )

    assert ended.returncode == 1
    assert "not kept: BTC" in ended.stderr
    assert "Traceback" not in ended.stderr
    listed = options_agent("data", "list", "--json", "--root", tmp_path / "archive", cwd=tmp_path)
    assert [each["snapshots"] for each in json.loads(listed.stdout)["families"]] == [0]


def test_nothing_harvested_is_no_data(tmp_path: Path) -> None:
    """A list tells how to begin; a judgement is a failure, and not ok."""
    listed = options_agent("data", "list", cwd=tmp_path)
    judged = options_agent("data", "health", cwd=tmp_path)

    assert listed.returncode == 0
    assert "data harvest" in listed.stdout
    assert judged.returncode == 1
    assert "no_data" in judged.stdout


@pytest.mark.parametrize("command", [("health",), ("exam", "BTC")])
def test_days_the_wrong_way_round_are_misuse(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Both are named; no data would be the wrong reason."""
    days = ("--from", "2026-03-09", "--to", "2026-03-02")
    ended = options_agent("data", *command, *days, "--root", archive(tmp_path / "a"), cwd=tmp_path)

    assert ended.returncode == 2
    assert "--to 2026-03-02 is before --from 2026-03-09" in " ".join(ended.stderr.split())


def test_quarantine_on_the_command_line(tmp_path: Path) -> None:
    """A file cut short fails the judgement, is moved aside, and the next one is well."""
    root = archive(tmp_path / "archive")
    cut = root / "BTC/2026/03/02/BTC_2026-03-02_100000.parquet"
    cut.write_bytes(cut.read_bytes()[:-9])
    first = options_agent("data", "health", "--root", root, "--quarantine", cwd=tmp_path)
    second = options_agent("data", "health", "--root", root, cwd=tmp_path)

    assert first.returncode == 1
    assert "quarantined BTC/2026/03/02/BTC_2026-03-02_100000.parquet" in first.stdout
    assert (root / "quarantine/BTC/BTC_2026-03-02_100000.parquet.reason.txt").exists()
    assert second.returncode == 0, second.stdout


def test_an_import_can_be_replayed(tmp_path: Path) -> None:
    """A table of another's makes an archive that the agent runs over, once compacted as well."""
    source = write_archive(tmp_path / "source", days=2)
    merged = pa.concat_tables(
        [pq.read_table(path).replace_schema_metadata(None) for path in _files(source, "BTC")]
    )
    pq.write_table(merged, tmp_path / "quotes.parquet")
    done = options_agent(
        "data", "import", "quotes.parquet", "--into", "own", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["snapshots"] == [["BTC", 8]]

    one = ("--market", "replay", "--set", 'venue.underlyings=["BTC"]', "--json")
    first = options_agent("run", *one, "--data", "own", cwd=tmp_path)
    compacted = options_agent("data", "compact", "--root", "own", "--json", cwd=tmp_path)
    second = options_agent("run", *one, "--data", "own", "--data-dir", "again", cwd=tmp_path)
    assert json.loads(compacted.stdout)["months"][0]["snapshots"] == 8
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert json.loads(first.stdout)["decisions"] == json.loads(second.stdout)["decisions"] == 8


def _files(root: Path, family: str) -> list[Path]:
    return sorted((root / family).rglob("*.parquet"))


def test_an_import_names_what_it_cannot_use(tmp_path: Path) -> None:
    """One bad file fails the command; the good one beside it is taken over."""
    good = _files(archive(tmp_path / "source", 1), "BTC")[0]
    (tmp_path / "bad.csv").write_text("instrument_name,mark_iv\nBTC-27MAR26-80000-C,55\n")
    ended = options_agent("data", "import", good, "bad.csv", "--into", "own", cwd=tmp_path)
    listed = json.loads(
        options_agent("data", "list", "--root", "own", "--json", cwd=tmp_path).stdout
    )

    assert ended.returncode == 1
    assert "bad.csv has no column of time, forward, mark" in " ".join(ended.stdout.split())
    assert listed["families"][0]["snapshots"] == 1


def test_an_exam_says_where_it_lies(tmp_path: Path) -> None:
    """The last line is its path; days without data are a failure, reversed ones misuse."""
    root = archive(tmp_path / "archive")
    days = ("--from", "2026-03-02", "--to", "2026-03-03")
    ended = options_agent("data", "exam", "BTC", *days, "--root", root, cwd=tmp_path)
    none = options_agent("data", "exam", "ETH", *days, "--root", root, cwd=tmp_path)
    turned = options_agent(
        "data", "exam", "BTC", "--from", "2026-03-03", "--to", "2026-03-02", cwd=tmp_path
    )

    assert ended.returncode == 0, ended.stderr
    assert Path(tmp_path / ended.stdout.splitlines()[-1]).exists()
    assert (none.returncode, turned.returncode) == (1, 2)
    assert "no snapshot of ETH" in none.stderr


def test_a_volatility_history_of_a_served_exchange(tmp_path: Path, port: int) -> None:
    """Hours of DVOL beside realised volatility, appended to when asked again."""
    options = ("--days", "1", "--coins", "BTC", "--venue", "exchange", *address(port), "--json")
    first = options_agent("data", "vol-history", *options, cwd=tmp_path)
    second = options_agent("data", "vol-history", *options, cwd=tmp_path)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    told = json.loads(first.stdout)["coins"][0]

    assert 22 <= told["added"] <= 25
    assert told["without_realised"] == 0
    assert json.loads(second.stdout)["coins"][0]["added"] <= 1
    table = pq.read_table(tmp_path / "data/volatility_history/btc_volatility_history.parquet")
    assert all(5.0 < each < 300.0 for each in table["iv_30d"].to_pylist())
