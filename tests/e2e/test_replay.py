"""A replay from the command line: the same every time, whole after every kill."""

import hashlib
from pathlib import Path

import pytest

from tests.support.agents import agent
from tests.support.archives import write_archive
from tests.support.crash import killed, undisturbed, written

KILLS = 6


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=20)


def replay(archive: Path) -> list[str]:
    options = ["--set", "policy.take_profit_captured_pct=100"]  # so that calls reach expiry
    return ["--data", str(archive), "--seed", "5", *options]


def journal_of(data_dir: Path) -> bytes:
    files = sorted(data_dir.glob("paper-replay/*/journal/*.jsonl"))
    return b"".join(file.read_bytes() for file in files)


def test_two_replays_write_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    """Twice with one seed gives byte-identical journals, and trades are in them."""
    for name in ("first", "second"):
        undisturbed(replay(archive), tmp_path / name)

    first, second = journal_of(tmp_path / "first"), journal_of(tmp_path / "second")
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()
    assert first.count(b'"kind":"Sent"') >= 2
    assert first.count(b'"kind":"Delivered"') >= 1


def test_a_finished_replay_is_kept_aside_and_run_anew(archive: Path, tmp_path: Path) -> None:
    """The second run of one replay starts over and leaves the first one's journal as it was."""
    undisturbed(replay(archive), tmp_path)
    before = journal_of(tmp_path)
    ended = agent(
        "run", "--market", "replay", *replay(archive), "--data-dir", tmp_path, cwd=tmp_path
    )

    assert ended.returncode == 0, ended.stderr
    folders = sorted(tmp_path.glob("paper-replay/*"))
    assert len(folders) == 2
    assert journal_of(tmp_path) == before + before


def test_a_killed_replay_ends_with_the_same_book(archive: Path, tmp_path: Path) -> None:
    """SIGKILL at random instants changes nothing: no order twice, none lost, the same book."""
    calm = undisturbed(replay(archive), tmp_path / "calm")
    rough = killed(replay(archive), tmp_path / "rough", KILLS, written(tmp_path / "calm"), seed=2)

    assert rough.kills >= KILLS // 2
    assert calm.violations == ()
    assert rough.violations == ()
    assert rough.holdings == calm.holdings
