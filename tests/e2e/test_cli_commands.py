"""The commands that look: right figures from a book that may be in use, which stays as it is."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from ports.decision_log import Opened
from tests.support.archives import START, write_archive
from tests.support.books import A, fill, intent, marked, traded
from tests.support.command_line import options_agent
from tests.support.folders import content, copied, journal_files, payloads, write_book
from tests.support.markets import NOW

DAYS = 8  # volatility is known after five


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=DAYS)


@pytest.fixture(scope="module")
def settings(archive: Path) -> list[str]:
    return ["--set", "venue.market=replay", "--set", f"venue.replay_data={archive}"]


@pytest.fixture(scope="module")
def replayed(archive: Path, settings: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a book that was traded through a recorded week."""
    folder = tmp_path_factory.mktemp("replayed")
    ended = options_agent("run", *settings, "--data-dir", folder, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    (book,) = (folder / "paper-replay").iterdir()
    assert payloads(book, "Sent")
    return book


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """A book whose one contract was sold at 0.0300 and is marked 0.0200, the index at 90,000."""
    opened = Opened(
        at=NOW,
        environment="paper-synthetic-seed7",
        program_version="0",
        seed=7,
        strategies=("s",),
        settings_hash="0",
    )
    sold = traded(intent(A), fill("t1", A, amount=1.0, price=0.03, fee_coin=0.0003))
    entries = (opened, *sold, marked(1.0097, (A, 0.02), index_usd=90_000.0))
    return write_book(tmp_path / "data" / "paper-synthetic-seed7", "paper-synthetic-seed7", entries)


def told(*words: str | Path, cwd: Path) -> Any:
    """The JSON that a command prints, which must end well."""
    ended = options_agent(*words, "--json", cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_call_sold_at_300_and_marked_200_shows_100(golden: Path) -> None:
    """Found by the default folder, in coin, USD and percent, behind the mode line."""
    ended = options_agent("positions", cwd=golden.parents[1])

    assert ended.returncode == 0, ended.stderr
    first, _, *rest = ended.stdout.splitlines()
    assert first.startswith(
        "TESTNET | research | DRY-RUN | rule_only | paper-synthetic-seed7 | book "
    )
    (row,) = [line.split() for line in rest if A.symbol in line and "short" in line]
    assert row[2:8] == ["1", "0.0300", "0.0200", "+0.010000", "+900.00", "33.3"]


def test_half_a_line_at_the_end_is_left_alone(golden: Path) -> None:
    """A line that is being written is neither shown nor cut off: no file changes."""
    (file,) = journal_files(golden)
    file.write_bytes(file.read_bytes() + b'{"at":"2026-03-02T10:00:00.0')
    before = content(golden)

    shown = told("positions", "--book", golden, cwd=golden)
    told("orders", "--book", golden, cwd=golden)
    verified = told("journal", "verify", golden, cwd=golden)

    assert [each["unrealised_coin"] for each in shown["positions"]] == [pytest.approx(0.01)]
    assert (shown["seq"], verified["lines"], verified["ok"]) == (4, 4, True)
    assert f"behind byte {len(before[file]) - 28}" in verified["torn"]
    assert content(golden) == before


def test_a_book_in_use_is_shown_with_its_holder(golden: Path) -> None:
    """While a process holds the lock, status reads on and names it; acting is exit 3."""
    with BookLock.take(Disk(), golden, "paper-synthetic-seed7", command="run", since="noon"):
        shown = told("status", "--book", golden, cwd=golden)
        refused = options_agent("reconcile", "--book", golden, cwd=golden)

    assert shown["held_by"] == f"process {os.getpid()} (run) since noon"
    assert refused.returncode == 3
    assert f"process {os.getpid()} (run)" in refused.stderr


def test_a_book_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Exit 1 and a way out, without a traceback; and no folder is made."""
    ended = options_agent("status", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "error: there is no book at data/paper-synthetic-seed7: "
        "options-agent run begins one, --book names another\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_status_says_what_the_journal_says(replayed: Path, settings: list[str]) -> None:
    """Equity, index, tick and last decision are those of the last entries of their kinds."""
    before = content(replayed)
    data_dir = f"venue.data_dir={replayed.parents[1]}"
    shown = told("status", *settings, "--set", data_dir, cwd=replayed)
    last = {each["underlying"]: each for each in payloads(replayed, "Marked")}
    decided = {each["underlying"]: each for each in payloads(replayed, "Decided")}

    for coin, wealth in shown["wealth"].items():
        assert wealth["equity_coin"] == last[coin]["equity_coin"]
        assert wealth["index_usd"] == last[coin]["index_usd"]
        parts = wealth["option_coin"] + wealth["fees_coin"] + wealth["other_coin"]
        assert wealth["total_coin"] == pytest.approx(parts, abs=1e-12)
    assert {each["underlying"]: each["actions"][0]["reason"] for each in shown["decisions"]} == {
        coin: each["actions"][0]["reason"] for coin, each in decided.items()
    }
    assert shown["book"] == str(replayed)
    assert (shown["age_s"], shown["held_by"], shown["kill_switch"]) == (None, None, False)
    assert shown["warnings"] == []
    assert content(replayed) == before


def test_status_is_readable(replayed: Path) -> None:
    """The same as text: agent, switches, limits with their use, equity, decisions."""
    shown = options_agent("status", "--book", replayed, cwd=replayed).stdout

    for words in ("no agent is running", "kill switch off", "halted      no", "clean"):
        assert words in shown
    for words in ("fullest expiry", "of options", "covered_call_v1"):
        assert words in shown


def test_positions_and_orders_add_up_from_the_trades(replayed: Path) -> None:
    """Open sizes are what was sold less what was bought; every trade is listed once."""
    fills = [each for entry in payloads(replayed, "OrderUpdated") for each in entry["fills"]]
    delivered = {each["delivery"]["contract"] for each in payloads(replayed, "Delivered")}
    sizes: dict[str, float] = {}
    for each in fills:
        signed = each["amount"] if each["side"] == "sell" else -each["amount"]
        sizes[each["contract"]] = round(sizes.get(each["contract"], 0.0) + signed, 8)
    held = {name: size for name, size in sizes.items() if size and name not in delivered}

    positions = told("positions", "--book", replayed, cwd=replayed)["positions"]
    orders = told("orders", "--all", "--book", replayed, cwd=replayed)
    assert {each["symbol"]: each["size"] for each in positions} == held
    assert sorted(each["trade_id"] for each in orders["fills"]) == sorted(
        each["trade_id"] for each in fills
    )
    assert len(orders["orders"]) == len(payloads(replayed, "Sent"))


def test_a_watched_status_ends_on_ctrl_c(golden: Path) -> None:
    """--watch shows as much as the terminal is high, until it is interrupted: 130."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "apps.cli.main", "status", "--watch", "--book", golden]
    process = subprocess.Popen(command, cwd=golden, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while b"kill switch" not in shown:
        shown += os.read(screen, 4096)
    process.send_signal(signal.SIGINT)
    code = process.wait()
    os.close(screen)

    assert code == 130
    assert b"no agent is running" in shown
    assert b"Traceback" not in shown


def test_a_whole_journal_verifies_and_replays(replayed: Path) -> None:
    """Lines and files are counted; the fold from nothing is the snapshot that was saved."""
    verified = told("journal", "verify", replayed / "journal", cwd=replayed)
    replay = told("journal", "replay", replayed, cwd=replayed)

    assert verified["files"] == len(journal_files(replayed))
    assert verified["lines"] == replay["seq"] == replay["snapshot_seq"]
    assert (verified["ok"], replay["snapshot_agrees"]) == (True, True)


def test_damage_is_named_to_the_line(replayed: Path, tmp_path: Path) -> None:
    """One flipped bit: file, line and number of it, exit 1; doctor finds it too."""
    book = copied(replayed, tmp_path)
    file = journal_files(book)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"payload"', b'"paxload"')
    file.write_bytes(b"".join(lines))
    ended = options_agent("journal", "verify", book, "--json", cwd=tmp_path)
    doctor = options_agent("doctor", "--book", book, "--json", cwd=tmp_path)

    assert ended.returncode == 1
    damage = json.loads(ended.stdout)["damage"]
    first_seq = int(file.name.split("-")[2].removesuffix(".jsonl"))
    assert (damage["path"], damage["line"]) == (str(file), 3)
    assert damage["seq"] == first_seq + 2
    assert doctor.returncode == 1
    statuses = {each["name"]: each["status"] for each in json.loads(doctor.stdout)["checks"]}
    assert (statuses["journal"], statuses["positions"]) == ("fail", "ok")


def test_a_snapshot_of_another_book_is_noticed(replayed: Path, golden: Path) -> None:
    """positions.json that is not what the journal adds up to: exit 1."""
    book = copied(replayed, golden.parent)
    for file in journal_files(book):
        file.unlink()
    (book / "journal" / journal_files(golden)[0].name).write_bytes(
        journal_files(golden)[0].read_bytes()
    )
    ended = options_agent("journal", "replay", book, cwd=book)

    assert ended.returncode == 1
    assert "is not what the journal adds up to" in ended.stderr


def test_entries_are_shown_by_kind_and_label(replayed: Path) -> None:
    """The newest of a kind as a line or as JSON lines; a label finds its whole life."""
    lines = options_agent(
        "journal", "show", replayed, "--kind", "Sent", "--last", "1", cwd=replayed
    )
    intent_sent = payloads(replayed, "Sent")[-1]["intent"]
    label = intent_sent["label"]
    life = options_agent("journal", "show", replayed, "--label", label, "--json", cwd=replayed)

    assert len(lines.stdout.splitlines()) == 2
    assert f"{intent_sent['contract']} at " in lines.stdout
    kinds = [json.loads(line)["entry"]["type"] for line in life.stdout.splitlines()]
    assert kinds == ["Sent", "OrderUpdated", "Executed"]


def test_a_kind_that_is_none_is_misuse(replayed: Path) -> None:
    """Exit 2 with the kinds there are."""
    ended = options_agent("journal", "show", replayed, "--kind", "Decision", cwd=replayed)

    assert ended.returncode == 2
    assert "Decided" in ended.stderr


def test_a_chain_is_shown_at_the_end_of_a_recording_or_earlier(
    settings: list[str], tmp_path: Path
) -> None:
    """The last instant unless another is named, one expiry unless all are asked for."""
    last = told("chain", "BTC", *settings, "--all", cwd=tmp_path)
    first = options_agent(
        "chain", "ETH", *settings, "--at", f"{START:%Y-%m-%dT%H:%M}", cwd=tmp_path
    )

    assert last["taken_at"].startswith("2026-03-09T21:30:00")
    assert len({each["symbol"].split("-")[1] for each in last["contracts"]}) > 3
    assert f"at {START:%Y-%m-%d %H:%M:%S}" in first.stdout
    days = {line.split()[0].split("-")[1] for line in first.stdout.splitlines() if " ETH-" in line}
    assert len(days) == 1


def test_a_coin_that_is_not_traded_is_misuse(tmp_path: Path) -> None:
    """One sentence and exit 2."""
    ended = options_agent("chain", "DOGE", cwd=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "DOGE is not traded" in ended.stderr


def test_doctor_finds_a_sound_installation_sound(
    replayed: Path, settings: list[str], tmp_path: Path
) -> None:
    """Every check passes or has nothing to look at, and nothing is changed."""
    before = content(replayed)
    shown = told("doctor", *settings, "--book", replayed, cwd=tmp_path)

    assert shown["ok"] is True
    assert {each["status"] for each in shown["checks"]} == {"ok"}
    assert {"settings", "lock", "journal", "kernels", "replay data", "market BTC"} <= {
        each["name"] for each in shown["checks"]
    }
    assert content(replayed) == before


def test_doctor_names_what_a_replay_lacks(tmp_path: Path) -> None:
    """No recording: exit 1, and the setting to look at."""
    ended = options_agent(
        "doctor",
        "--set",
        "venue.market=replay",
        "--set",
        "venue.replay_data=nowhere",
        cwd=tmp_path,
    )

    assert ended.returncode == 1
    assert "see venue.replay_data" in ended.stdout
