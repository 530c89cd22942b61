"""What is wrong gets one sentence and a documented exit code; nothing is lost, nothing traded."""

import asyncio
import json
import resource
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.clock import SteppedClock
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from ports.chain import ChainTable
from ports.positions import Book, BookSnapshot
from tests.support.agents import agent, start_agent
from tests.support.archives import START
from tests.support.command_line import options_agent
from tests.support.folders import payloads
from tests.support.past_risk import sell_past_risk

BOOK = Path("data/paper-synthetic-seed7")
FULL_DISK_BYTES = 30_000


def flipped(file: Path) -> None:
    """Change one byte in the middle of *file*."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def journal(folder: Path) -> list[Path]:
    return sorted((folder / BOOK / "journal").glob("*.jsonl"))


def kinds(folder: Path) -> list[str]:
    lines = b"".join(file.read_bytes() for file in journal(folder)).splitlines()
    return [json.loads(line)["kind"] for line in lines]


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose book has sold a call, and then lived for a tick."""
    folder = tmp_path_factory.mktemp("traded")
    sell_past_risk(folder, {}, "covered_call_v1", "held", amount=0.1)
    ended = options_agent("run", "--interval", "1", "--ticks", "1", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert "Sent" in kinds(folder)
    return folder


@pytest.fixture
def folder(traded: Path, tmp_path: Path) -> Path:
    """A copy of the traded folder, to be damaged."""
    subprocess.run(["cp", "-a", f"{traded}/data", str(tmp_path)], check=True)
    return tmp_path


def test_an_unreadable_snapshot_is_rebuilt_from_the_journal(folder: Path) -> None:
    """A damaged positions.json is moved aside with an alarm, and the position is still known."""
    positions = folder / BOOK / "positions.json"
    before = json.loads(positions.read_text())
    flipped(positions)

    ended = options_agent("once", cwd=folder)

    assert ended.returncode == 0, ended.stderr
    assert "ALARM positions.json" in ended.stdout
    assert list((folder / BOOK).glob("positions.json.corrupt-*"))
    after = json.loads(positions.read_text())
    assert after["book"]["positions"].keys() >= before["book"]["positions"].keys()


def test_a_snapshot_of_another_environment_is_refused(folder: Path) -> None:
    """A positions.json of another book halts before anything is written, and stays."""
    positions = folder / BOOK / "positions.json"
    positions.unlink()
    (folder / BOOK / "positions.json.previous").unlink(missing_ok=True)
    foreign = FilePositionStore(Disk(), positions, "live-mainnet")
    book = Book(environment="live-mainnet")
    snapshot = BookSnapshot(
        environment="live-mainnet", seq=1, checksum="", saved_at=START, book=book
    )
    asyncio.run(foreign.save(snapshot))
    content, before = positions.read_bytes(), kinds(folder)

    ended = options_agent("once", cwd=folder)

    assert ended.returncode == 5
    assert "live-mainnet" in ended.stderr
    assert positions.read_bytes() == content
    assert kinds(folder) == before


def test_a_damaged_journal_halts(folder: Path) -> None:
    """One flipped byte stops the start and `journal verify`, both naming file and number."""
    flipped(journal(folder)[0])
    content = journal(folder)[0].read_bytes()

    ended = agent("once", cwd=folder)
    verified = agent("journal", "verify", cwd=folder)

    assert ended.returncode == 5
    assert journal(folder)[0].name in ended.stderr
    assert verified.returncode == 1
    assert journal(folder)[0].name in verified.stdout + verified.stderr
    assert journal(folder)[0].read_bytes() == content


def test_a_torn_last_line_is_cut_and_kept(folder: Path) -> None:
    """Half a line at the end is what a crash leaves: it is kept aside and trading goes on."""
    last = journal(folder)[-1]
    last.write_bytes(last.read_bytes() + b'{"at":"2026-')

    ended = options_agent("once", cwd=folder)

    assert ended.returncode == 0, ended.stderr
    assert list((folder / BOOK / "journal").glob("*torn*"))


def test_controls_that_are_gone_stop_new_risk(folder: Path) -> None:
    """Controls absent although a journal exists are the kill switch on."""
    (folder / BOOK / "controls.json").unlink()
    sent = kinds(folder).count("Sent")

    ended = options_agent("once", cwd=folder)

    assert ended.returncode == 0, ended.stderr
    assert kinds(folder).count("Sent") == sent
    assert payloads(folder / BOOK, "ControlsSeen")[-1]["controls"]["kill_switch"] is True


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    """While one process holds the book another exits with 3 and names the holder."""
    first = start_agent("run", "--interval", "1", cwd=tmp_path)
    try:
        assert first.stdout is not None
        first.stdout.readline()
        second = agent("once", cwd=tmp_path)
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)

    assert second.returncode == 3
    assert str(first.pid) in second.stderr
    assert first.returncode == 130
    assert kinds(tmp_path)[-1] == "Closed"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--set", 'underlyings=["DOGE"]'), 2, "DOGE"),
        (("--market", "replay", "--data", "nowhere"), 1, "nowhere"),
        (("--set", 'policy.strategies=["moon"]'), 2, "moon"),
        (("--set", "option_margin_type=linear", "--ticks", "1"), 2, "venue.option_margin_type"),
        (("--data-dir", "a-file/data"), 5, "a-file"),
    ],
    ids=["unknown coin", "no recording", "unknown strategy", "linear", "data folder below a file"],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One sentence that names the thing, and the documented exit code."""
    (tmp_path / "a-file").write_text("")

    ended = options_agent("run", *arguments, cwd=tmp_path)

    assert ended.returncode == code
    assert words in ended.stderr


def test_a_full_disk_halts_and_loses_nothing(tmp_path: Path) -> None:
    """When the journal can take no more the agent halts; every whole line is still good."""

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, FULL_DISK_BYTES))

    ended = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", "run", "--interval", "1", "--ticks", "20"],
        cwd=tmp_path,
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 5
    assert "HALTED" in ended.stderr
    assert "journal" in ended.stderr
    again = options_agent("once", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


async def _record(folder: Path, spoil: str) -> None:
    """Eight days of a market, enough to know its volatility, every snapshot spoilt."""
    clock = SteppedClock(START, ())
    market = SyntheticMarket(3, clock, ("BTC", "ETH"), SyntheticParams())
    archive = ParquetSnapshots(folder)
    for number in range(16):
        await clock.sleep_until(START + number * timedelta(hours=12))
        for underlying in ("BTC", "ETH"):
            snapshot = await market.snapshot(underlying)
            await archive.save(attrs.evolve(snapshot, chain=_spoilt(snapshot.chain, spoil)))


def _spoilt(chain: ChainTable, how: str) -> ChainTable:
    nothing = np.full(len(chain), np.nan)
    if how == "not at all":
        return chain
    if how == "empty":
        return chain.where(np.zeros(len(chain), dtype=np.bool_))
    if how == "crossed":
        return attrs.evolve(chain, bid=chain.ask + 0.001)
    return attrs.evolve(chain, **{how: nothing})


def _replayed(folder: Path, spoil: str) -> dict[str, Any]:
    """What a replay of that market reports."""
    asyncio.run(_record(folder / "recorded", spoil))
    words = ("run", "--market", "replay", "--data", folder / "recorded", "--json")
    ended = options_agent(*words, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


@pytest.mark.parametrize("spoil", ["empty", "crossed", "bid", "mark", "mark_iv", "open_interest"])
def test_a_spoilt_chain_is_not_traded(tmp_path: Path, spoil: str) -> None:
    """Empty, crossed or NaN: every contract is passed over with a reason, and nothing is sent."""
    report = _replayed(tmp_path, spoil)

    assert report["decisions"] > 0
    assert report["actions"] == {}
    assert report["orders"] == {}


def test_the_same_chain_is_traded_unspoilt(tmp_path: Path) -> None:
    """It was the spoiling that kept the agent from it."""
    assert _replayed(tmp_path, "not at all")["orders"] == {"filled": 1}
