"""A replay from the command line: the same every time, whole after every kill."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent
from tests.support.crash import judged, killed, undisturbed, written

KILLS = 4


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=20)


@pytest.fixture(scope="module")
def calm(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a replay that a process of its own ran to its end."""
    folder = tmp_path_factory.mktemp("calm")
    undisturbed(replay(archive), folder)
    return folder


def replay(archive: Path) -> list[str]:
    options = ["--set", "policy.take_profit_captured_pct=100"]  # so that calls reach expiry
    return ["--data", str(archive), "--seed", "5", *options]


def replayed(archive: Path, folder: Path) -> Ended:
    """Run the replay into *folder*, in this process."""
    words = ("run", "--market", "replay", *replay(archive), "--data-dir", folder)
    return options_agent(*words, cwd=folder)


def journal_of(data_dir: Path) -> bytes:
    files = sorted(data_dir.glob("paper-replay/*/journal/*.jsonl"))
    return b"".join(file.read_bytes() for file in files)


def test_two_replays_write_the_same_bytes(archive: Path, calm: Path, tmp_path: Path) -> None:
    """Twice with one seed gives byte-identical journals, and trades are in them."""
    ended = replayed(archive, tmp_path)

    assert ended.returncode == 0, ended.stderr
    first, second = journal_of(calm), journal_of(tmp_path)
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()
    assert first.count(b'"kind":"Sent"') >= 2
    assert first.count(b'"kind":"Delivered"') >= 1


def test_a_finished_replay_is_kept_aside_and_run_anew(
    archive: Path, calm: Path, tmp_path: Path
) -> None:
    """The second run of one replay starts over and leaves the first one's journal as it was."""
    shutil.copytree(calm, tmp_path, dirs_exist_ok=True)
    ended = replayed(archive, tmp_path)

    assert ended.returncode == 0, ended.stderr
    folders = sorted(tmp_path.glob("paper-replay/*"))
    assert len(folders) == 2
    assert journal_of(tmp_path) == journal_of(calm) * 2


def test_a_killed_replay_ends_with_the_same_book(archive: Path, calm: Path, tmp_path: Path) -> None:
    """SIGKILL at random instants changes nothing: no order twice, none lost, the same book."""
    expected = judged(calm, kills=0)
    rough = killed(replay(archive), tmp_path, KILLS, written(calm), seed=2)

    assert rough.kills >= KILLS // 2
    assert expected.violations == ()
    assert rough.violations == ()
    assert rough.holdings == expected.holdings


def test_a_snapshot_that_cannot_be_read_is_named(archive: Path, tmp_path: Path) -> None:
    """Before the first tick, by its file and the reason; doctor finds it too."""
    copied = Path(shutil.copytree(archive, tmp_path / "recorded"))
    broken = sorted(copied.rglob("BTC*.parquet"))[7]
    broken.write_bytes(broken.read_bytes()[:100])

    ended = options_agent(
        "run", "--market", "replay", *replay(copied), "--ticks", "1", "--data-dir", tmp_path / "d",
        cwd=tmp_path,
    )  # fmt: skip
    found = options_agent(
        "doctor", "--set", "venue.market=replay", "--set", f"venue.replay_data={copied}",
        "--set", f"venue.data_dir={tmp_path / 'd'}", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert f"left out of {broken.relative_to(copied)}" in ended.stderr
    assert broken.name in found.stdout
