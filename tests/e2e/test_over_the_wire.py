"""Agent and paper exchange as two processes: the same decisions as in memory, and one life."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from ports.decision_log import Decided, Entry, OrderUpdated
from ports.trading import Fill
from tests.support.agents import start_agent
from tests.support.command_line import options_agent
from tests.support.recorded import recorded_data
from tests.support.wire_processes import address, exchange_process, free_port

BOOK = Path("data/exchange-synthetic-seed7")
STEPPED = [
    *("--clock", "stepped", "--from", "2025-06-02", "--to", "2025-06-02", "--interval", "7200"),
    *("--set", 'venue.underlyings=["BTC"]', "--set", 'order_size_by_underlying={"BTC": 0.1}'),
]
EAGER = [  # so that calls are sold, rolled and bought back within days
    "--set",
    "research_ivrv_min=0",
    "--set",
    "premium_min_usd=0",
    "--set",
    "research_dte_max=3",
    "--set",
    "liquidity_max_spread_pct=50",
    "--set",
    "take_profit_captured_pct=20",
]


def entries(folder: Path, pattern: str) -> list[Entry]:
    """The journal of the one book in *folder* that *pattern* matches."""
    (journal,) = folder.glob(f"data/{pattern}/journal")

    async def read() -> list[Entry]:
        return [record.entry async for record in FileDecisionLog(Disk(), journal).records()]

    return asyncio.run(read())


def decided(journal: list[Entry]) -> list[Decided]:
    return [entry for entry in journal if isinstance(entry, Decided)]


def fills(journal: list[Entry]) -> list[Fill]:
    return [fill for entry in journal if isinstance(entry, OrderUpdated) for fill in entry.fills]


def in_memory(folder: Path, *options: str | Path) -> list[Entry]:
    """The journal of a run in memory."""
    ended = options_agent("run", *options, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return entries(folder, "paper-*/*")


def over_the_wire(folder: Path, *options: str | Path, port: int) -> list[Entry]:
    """The journal of the runs over the wire in *folder*, of which this is one more."""
    ended = options_agent("run", "--venue", "exchange", *address(port), *options, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return entries(folder, "exchange-*/*")


@pytest.fixture(scope="module")
def invented_day(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """The journal of a stepped day in memory."""
    return in_memory(tmp_path_factory.mktemp("invented"), *STEPPED, *EAGER)


def test_a_stepped_market_is_decided_alike_in_memory_and_over_the_wire(
    invented_day: list[Entry], tmp_path: Path
) -> None:
    """Every Decided of an invented day is equal, whole, and so are the trades that follow."""
    wired = over_the_wire(tmp_path, *STEPPED, *EAGER, port=free_port())

    assert len(decided(invented_day)) == 12
    assert decided(wired) == decided(invented_day)
    assert [
        (each.contract, each.side, each.amount, each.price, each.fee_coin) for each in fills(wired)
    ] == [
        (each.contract, each.side, each.amount, each.price, each.fee_coin)
        for each in fills(invented_day)
    ]
    assert {each.side for each in fills(invented_day)} == {"buy", "sell"}


def test_a_recording_is_decided_alike_in_memory_and_over_the_wire(tmp_path: Path) -> None:
    """Every Decided of four recorded days is equal, whole."""
    chains = recorded_data() / "chains" / "timeseries"
    days = ["--from", "2026-01-03", "--to", "2026-01-06"]
    recording = ["--market", "replay", "--data", chains, *days]
    here = in_memory(tmp_path, *recording)
    wired = over_the_wire(tmp_path, *recording, port=free_port())

    assert len(decided(here)) > 25
    assert decided(wired) == decided(here)
    assert any(each.approved for each in decided(here))


def test_a_replay_over_the_wire_goes_on_where_it_was_stopped(
    invented_day: list[Entry], tmp_path: Path
) -> None:
    """Interrupted after some ticks, the second half decides as if there had been no pause."""
    port = free_port()
    begun = over_the_wire(tmp_path, *STEPPED, *EAGER, "--ticks", "5", port=port)
    continued = over_the_wire(tmp_path, *STEPPED, *EAGER, port=port)

    assert len(decided(begun)) == 5
    assert decided(continued) == decided(invented_day)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -9)],
)
def test_the_exchange_ends_with_the_agent(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Stopped, interrupted or killed: the exchange that the agent started is gone too."""
    port = free_port()
    running = start_agent("run", "--venue", "exchange", *address(port), cwd=tmp_path)
    assert running.stdout is not None
    until_first_decision = next(line for line in running.stdout if "covered_call_v1" in line)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        running.send_signal(number)
        left = connection.recv(1)  # returns when the exchange closes it, and not before
    running.communicate(timeout=20)

    assert until_first_decision
    assert left == b""
    assert running.returncode == code
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_an_exchange_that_is_served_already_is_used_and_left_running(tmp_path: Path) -> None:
    """Two ticks in two processes are of one account, and the exchange still answers afterwards."""
    with exchange_process(cwd=tmp_path) as port:
        for _ in range(2):
            ended = options_agent(
                "once", "--venue", "exchange", *address(port), *EAGER, cwd=tmp_path
            )
            assert ended.returncode == 0, ended.stderr
        socket.create_connection(("127.0.0.1", port)).close()

    assert len([entry for entry in entries(tmp_path, BOOK.name) if isinstance(entry, Decided)]) == 4
    assert not (tmp_path / BOOK / "exchange").exists()


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The folder in which an agent has ticked once over the wire, and its port."""
    folder, port = tmp_path_factory.mktemp("traded"), free_port()
    ended = options_agent("once", "--venue", "exchange", *address(port), *EAGER, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert fills(entries(folder, BOOK.name))
    return folder, port


@pytest.mark.parametrize(
    "command",
    ["status", "positions", "orders", "reconcile", "health", "doctor", "kill"],
)
def test_commands_find_the_book_of_the_exchange(traded: tuple[Path, int], command: str) -> None:
    """Each works with --venue exchange, on that book, with nobody serving the exchange before."""
    folder, port = traded
    words = ["--venue", "exchange", *address(port), *EAGER, "--json"]
    ended = options_agent(command, *words, cwd=folder)

    assert ended.returncode == 0, ended.stderr + ended.stdout
    said = json.loads(ended.stdout)
    assert command == "doctor" or said["environment"] == BOOK.name
    assert command != "reconcile" or said["clean"]
    options_agent("release", "--reason", "t", "--yes", "--venue", "exchange", cwd=folder)


def test_a_position_is_bought_back_over_the_wire(traded: tuple[Path, int]) -> None:
    """Close ends the position at the exchange and in the book: they agree afterwards."""
    folder, port = traded
    words = ["--venue", "exchange", *address(port), *EAGER]
    held = options_agent("positions", "--json", *words, cwd=folder)
    name = json.loads(held.stdout)["positions"][0]["position_id"]
    closed = options_agent("close", name, "--yes", *words, cwd=folder)
    assert closed.returncode == 0, closed.stderr

    agreed = options_agent("reconcile", *words, cwd=folder)
    assert agreed.returncode == 0, agreed.stderr
    left = json.loads(options_agent("positions", "--json", *words, cwd=folder).stdout)["positions"]
    assert name not in {each["position_id"] for each in left}
