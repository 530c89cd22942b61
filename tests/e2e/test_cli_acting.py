"""The commands that act: kill, release, close, reconcile; what they refuse and what they leave."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.files.disk import Disk
from adapters.files.venue_log import FileVenueLog
from ports.instruments import OptionContract
from ports.venue_log import VenueStep
from tests.support.agents import agent
from tests.support.archives import write_archive
from tests.support.books import fill
from tests.support.command_line import options_agent
from tests.support.folders import copied, payloads


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    archive = write_archive(tmp_path_factory.mktemp("recorded"), days=8)
    return ["--set", "venue.market=replay", "--set", f"venue.replay_data={archive}"]


@pytest.fixture(scope="module")
def replayed(settings: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a book that ends with a call still sold."""
    folder = tmp_path_factory.mktemp("replayed")
    ended = options_agent("run", *settings, "--data-dir", folder, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    (book,) = (folder / "paper-replay").iterdir()
    assert payloads(book, "Sent")
    return book


@pytest.fixture
def book(replayed: Path, tmp_path: Path) -> Path:
    """A copy of that book, to act upon."""
    return copied(replayed, tmp_path)


def held(book: Path) -> list[Any]:
    ended = options_agent("positions", "--json", "--book", book, cwd=book)
    found: list[Any] = json.loads(ended.stdout)["positions"]
    return found


def typed(text: bytes, *words: str | Path, cwd: Path) -> int:
    """The exit code of a command with *text* at its keyboard."""
    keyboard, terminal = pty.openpty()
    os.write(keyboard, text)
    command = [sys.executable, "-m", "apps.cli.main", *map(str, words)]
    ended = subprocess.run(
        command, cwd=cwd, stdin=terminal, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(terminal)
    os.close(keyboard)
    return ended.returncode


def test_a_killed_replay_sends_nothing(settings: list[str], tmp_path: Path) -> None:
    """The same replay that trades elsewhere opens nothing here, for the reason given."""
    words = [*settings, "--set", f"venue.data_dir={tmp_path}"]
    killed = options_agent("kill", "--reason", "maintenance", *words, "--json", cwd=tmp_path)
    ended = options_agent("run", *settings, "--data-dir", tmp_path, cwd=tmp_path)
    (book,) = (tmp_path / "paper-replay").iterdir()
    refusals = {
        (breach["code"], breach["detail"])
        for decided in payloads(book, "Decided")
        for verdict in decided["verdicts"]
        for breach in verdict["breaches"]
    }

    assert json.loads(killed.stdout)["kill_reason"] == "maintenance"
    assert (killed.returncode, ended.returncode) == (0, 0)
    assert payloads(book, "Sent") == []
    assert ("kill_switch", "the kill switch is on: maintenance") in refusals


@pytest.fixture
def running(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """An agent that ticks every second on the synthetic market in tmp_path."""
    command = [sys.executable, "-u", "-m", "apps.cli.main", "run", "--interval", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


def wait_for_decisions(running: "subprocess.Popen[str]", rounds: int) -> None:
    """Return once both coins were decided on *rounds* times more."""
    assert running.stdout is not None
    for coin in (" BTC ", " ETH ") * rounds:
        line = ""
        while not (coin in line and "regime" in line):
            line = running.stdout.readline()
            assert line, "the agent ended"


def wait_until_seen(running: "subprocess.Popen[str]", book: Path, revision: int) -> None:
    """Return once the agent has written down that it saw controls of *revision*."""
    for _ in range(60):
        seen = payloads(book, "ControlsSeen")
        if any(each["controls"]["revision"] >= revision for each in seen):
            return
        wait_for_decisions(running, 1)
    raise AssertionError(f"revision {revision} was not seen within 60 ticks")


def test_a_kill_reaches_a_running_agent_within_a_tick(
    tmp_path: Path, running: "subprocess.Popen[str]"
) -> None:
    """The agent knows of it before its next tick ends, opens nothing, and goes on at a release."""
    book = tmp_path / "data" / "paper-synthetic-seed7"
    wait_for_decisions(running, 1)
    killed = options_agent("kill", "--reason", "stop", cwd=tmp_path)
    wait_until_seen(running, book, revision=1)
    wait_for_decisions(running, 1)
    released = options_agent("release", "--reason", "go", "--yes", cwd=tmp_path)
    wait_until_seen(running, book, revision=2)
    running.send_signal(signal.SIGINT)
    assert running.stdout is not None
    running.stdout.read()

    assert (running.wait(), killed.returncode, released.returncode) == (130, 0, 0)
    assert "opens nothing from here on" in killed.stdout
    audit = (book / "controls_audit.jsonl").read_text()
    changed = [json.loads(line) for line in audit.splitlines()]
    seen = [each for each in payloads(book, "ControlsSeen") if each["controls"]["revision"]]
    assert [each["controls"]["kill_switch"] for each in seen] == [True, False]
    for change, sight in zip(changed, seen, strict=True):
        ticks = [each["at"] for each in payloads(book, "Ticked")]
        assert sum(change["at"] < at < sight["at"] for at in ticks) <= 1
    sent = [each["at"] for each in payloads(book, "Sent") if not each["intent"]["reduce_only"]]
    assert not any(seen[0]["at"] < at < seen[1]["at"] for at in sent)


def test_a_kill_without_its_file_still_kills(book: Path) -> None:
    """When the controls cannot be changed, a file KILL in the data folder does it; both end."""
    (book / "controls.lock").unlink()
    (book / "controls.lock").mkdir()
    killed = options_agent("kill", "--reason", "by file", "--book", book, "--json", cwd=book)
    kill_file = book.parents[1] / "KILL"
    shown = json.loads(killed.stdout)

    assert killed.returncode == 0
    assert (shown["kill_switch"], shown["kill_file"]) == (True, str(kill_file))
    assert kill_file.read_text() == "by file\n"

    (book / "controls.lock").rmdir()
    released = options_agent("release", "--reason", "mended", "--yes", "--book", book, cwd=book)
    assert released.returncode == 0
    assert f"removes     {kill_file}" in released.stdout
    assert not kill_file.exists()


def test_a_kill_needs_no_valid_settings_if_the_book_is_named(book: Path) -> None:
    """A fault in the settings is told and does not stop the kill."""
    killed = agent("kill", "--book", book, "--set", "venue.mode=x", cwd=book)
    elsewhere = agent("kill", "--set", "venue.mode=x", cwd=book)

    assert killed.returncode == 0
    assert "venue.mode" in killed.stderr
    assert json.loads((book / "controls.json").read_text())["kill_switch"] is True
    assert elsewhere.returncode == 2


def test_a_release_is_meant(book: Path) -> None:
    """Without a reason, or unasked and unanswered, it is misuse; the word must be typed."""
    options_agent("kill", "--book", book, cwd=book)

    assert options_agent("release", "--book", book, cwd=book).returncode == 2
    words = ("release", "--reason", "over", "--book", book)
    assert typed(b"yes\n", *words, cwd=book) == 130
    assert json.loads((book / "controls.json").read_text())["kill_switch"] is True
    assert typed(b"release\n", *words, cwd=book) == 0
    assert json.loads((book / "controls.json").read_text())["kill_switch"] is False


def test_a_position_is_bought_back_like_the_agent_does(book: Path, settings: list[str]) -> None:
    """Decided, sent, labelled and booked; the position is closed and the book agrees."""
    position = held(book)[0]
    words = ("close", position["symbol"], "--book", book, *settings)
    done = options_agent(*words, "--yes", "--json", cwd=book)
    shown = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    (order,) = shown["orders"]
    assert (order["state"], order["bought"]) == ("filled", position["size"])
    assert order["label"].startswith("covered_call_v1.")
    assert order["label"].endswith(".close")
    decided = payloads(book, "Decided")[-1]
    assert (decided["decision_source"], decided["actions"][0]["type"]) == (
        "manual",
        "CLOSE_COVERED_CALL",
    )
    assert payloads(book, "Sent")[-1]["intent"]["reduce_only"] is True
    assert position["symbol"] not in {each["symbol"] for each in held(book)}
    assert options_agent(*words, "--yes", cwd=book).returncode == 2
    assert options_agent("reconcile", "--book", book, *settings, cwd=book).returncode == 0


def test_a_refused_close_names_the_control(book: Path, settings: list[str]) -> None:
    """What binds closing binds a person too: 4, the reason, and nothing sent."""
    position = held(book)[0]
    sent_before = len(payloads(book, "Sent"))
    slow = ["--set", "risk.order_requests_per_sec=0.000001", "--set", "risk.order_burst=1"]
    words = ("close", position["position_id"], "--yes", "--book", book)
    done = options_agent(*words, *settings, *slow, cwd=book)

    assert done.returncode == 4
    assert "throttle" in done.stderr
    assert len(payloads(book, "Sent")) == sent_before
    assert held(book)[0]["position_id"] == position["position_id"]


def test_a_declined_close_sends_nothing(book: Path, settings: list[str]) -> None:
    """An answer of no is 130; without a keyboard it is misuse."""
    position = held(book)[0]
    sent_before = len(payloads(book, "Sent"))
    words = ("close", position["symbol"], "--book", book, *settings)

    assert typed(b"n\n", *words, cwd=book) == 130
    unasked = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", *map(str, words)],
        cwd=book,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert unasked.returncode == 2
    assert len(payloads(book, "Sent")) == sent_before


def test_a_trade_of_a_person_is_found_and_taken_over(book: Path, settings: list[str]) -> None:
    """The venue holds one contract more: 1 with its name, healed by --apply, clean after."""
    ours = held(book)[0]
    contract = OptionContract.from_symbol(ours["symbol"])
    asyncio.run(trade_by_hand(book, contract))
    found = options_agent("reconcile", "--book", book, *settings, "--json", cwd=book)
    healed = options_agent("reconcile", "--book", book, *settings, "--apply", "--json", cwd=book)

    assert (found.returncode, healed.returncode) == (1, 0)
    (line,) = json.loads(found.stdout)["before"][contract.underlying]["differences"]
    assert line == (
        f"{contract.symbol}: our book holds {-ours['size']:+g}, the venue {-ours['size'] - 1:+g}"
    )
    assert json.loads(healed.stdout)["clean"] is True
    assert held(book)[0]["size"] == ours["size"] + 1
    assert len(payloads(book, "Healed")) == 1


def test_a_book_of_another_market_is_not_traded(book: Path) -> None:
    """Settings of a synthetic market do not touch the book of a replay: misuse."""
    ended = agent("reconcile", "--book", book, cwd=book)

    assert ended.returncode == 2
    assert "is a book of paper-replay, the settings are of paper-synthetic-seed7" in ended.stderr


async def trade_by_hand(book: Path, contract: OptionContract) -> None:
    """Let the venue remember a sale of one contract that was not ours."""
    log = FileVenueLog(Disk(), book / "venue")
    steps = [step async for step in log.steps()]
    sale = fill("by-hand", contract, amount=1.0, price=0.02, label=None, at=steps[-1].at)
    await log.append(VenueStep(at=steps[-1].at, fills=(sale,)))
