"""`options-agent health`: one look at everything, an exit code, and nothing changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from ports.decision_log import Halted, HealthChanged, HealthState, Opened
from tests.support.agents import agent
from tests.support.command_line import options_agent
from tests.support.folders import content, write_book
from tests.support.markets import NOW

NAME = "paper-synthetic-seed7"
OPENED = Opened(
    at=NOW,
    environment=NAME,
    program_version="0",
    seed=7,
    strategies=("s",),
    settings_hash="0",
)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which an agent has ticked once."""
    folder = tmp_path_factory.mktemp("traded")
    ended = options_agent("once", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder


def looked(cwd: Path, code: int, *words: str | Path) -> dict[str, Any]:
    """What `health --json` says in *cwd*, which ends with *code*."""
    ended = options_agent("health", "--json", *words, cwd=cwd)
    assert ended.returncode == code, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_a_book_that_is_well_is_exit_0_and_stays_as_it_is(traded: Path) -> None:
    """Every check is there, also while an agent holds the book; no file changes."""
    before = content(traded / "data")
    with BookLock.take(Disk(), traded / "data" / NAME, NAME, command="run", since="noon"):
        found = looked(traded, 0)

    assert (found["ok"], found["severity"]) == (True, None)
    assert {each["status"] for each in found["checks"]} <= {"ok", "warn", "skipped"}
    names = {each["name"] for each in found["checks"]}
    assert {"market BTC", "account ETH", "clock BTC", "orders", "rejections", "halt"} <= names
    assert found["agent"] == {"state": "ok", "cause": "", "is_paused": False, "halted": ""}
    after = content(traded / "data")
    lock = traded / "data" / NAME / "LOCK"
    assert {**after, lock: b""} == {**before, lock: b""}


def test_where_nothing_was_run_the_market_is_still_looked_at(tmp_path: Path) -> None:
    """Exit 0, and no folder is made."""
    ended = options_agent("health", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "market BTC" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_halt_is_exit_1_with_its_reason(tmp_path: Path) -> None:
    """The check, the severity, and what the agent wrote down, in both forms."""
    entries = (
        OPENED,
        Halted(at=NOW, reason="the books differ"),
        HealthChanged(at=NOW, state=HealthState.FATAL, cause="halt: books", is_pausing=True),
    )
    write_book(tmp_path / "data" / NAME, NAME, entries)
    found = looked(tmp_path, 1)
    shown = options_agent("health", cwd=tmp_path)

    (failing,) = [each for each in found["checks"] if each["status"] == "fail"]
    assert (failing["name"], failing["detail"]) == ("halt", "the books differ")
    assert (found["ok"], found["severity"]) == (False, "fatal")
    assert (found["agent"]["state"], found["agent"]["is_paused"]) == ("fatal", True)
    assert shown.returncode == 1
    assert "agent: fatal, new risk is paused: halt: books" in shown.stdout


def test_a_market_that_is_not_there_is_exit_1(tmp_path: Path) -> None:
    """A replay without its recording cannot be looked at: one sentence."""
    replay = ("--set", "venue.market=replay", "--set", "venue.replay_data=nowhere")
    ended = agent("health", *replay, cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: no folder of recorded chains at nowhere\n"


def test_the_gates_say_why_no_real_order_leaves(tmp_path: Path) -> None:
    """Every closed gate, by strategy."""
    found = looked(tmp_path, 0)

    assert found["gates"] == {
        "covered_call_v1": [
            "orders go to venue.venue_kind paper",
            "there are no credentials",
            "dry run is on",
        ],
    }
