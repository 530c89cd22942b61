"""Contradictions over the wire name the setting and trade nothing; a dry run only reads."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from ports.decision_log import Entry, OrderUpdated, Sent
from tests.support.command_line import SELLS_SOMETHING, Ended, options_agent
from tests.support.wire_processes import Witness, address, exchange_process, witnessed

PAPER_KEY = {"DERIBIT_CLIENT_ID": "paper", "DERIBIT_CLIENT_SECRET": "paper-secret"}
OTHER_KEY = {"DERIBIT_CLIENT_ID": "somebody", "DERIBIT_CLIENT_SECRET": "never-shown"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A served exchange, synthetic with seed 7 on the real clock."""
    with exchange_process(cwd=tmp_path_factory.mktemp("served")) as served:
        yield served


def once(cwd: Path, port: int, *words: str, kind: str = "exchange", **key: str) -> Ended:
    """One tick at the venue at *port*, with *key* in the environment."""
    command = ("once", "--venue", kind, *address(port), *SELLS_SOMETHING, *words)
    return options_agent(*command, cwd=cwd, environ=key)


def entries(folder: Path) -> list[Entry]:
    """Everything that any journal below *folder* holds."""

    async def read(journal: Path) -> list[Entry]:
        return [record.entry async for record in FileDecisionLog(Disk(), journal).records()]

    return [
        entry for journal in folder.glob("data/**/journal") for entry in asyncio.run(read(journal))
    ]


def refused(ended: Ended, setting: str, folder: Path) -> None:
    """Misuse that names *setting*, and a journal without a word."""
    assert ended.returncode == 2, ended.stderr
    assert f"error: {setting}: found" in ended.stderr
    assert entries(folder) == []


def test_a_key_that_the_exchange_does_not_know(tmp_path: Path, port: int) -> None:
    """Wrong credentials name the key's setting; the secret is not shown."""
    ended = once(tmp_path, port, **OTHER_KEY)

    refused(ended, "venue.deribit_client_id", tmp_path)
    assert OTHER_KEY["DERIBIT_CLIENT_SECRET"] not in ended.stderr


def test_a_key_of_mainnet_on_testnet(tmp_path: Path, port: int) -> None:
    """The venue knows only its own keys: the agent says that environments have separate ones."""
    ended = once(tmp_path, port, kind="deribit", **OTHER_KEY)

    refused(ended, "venue.deribit_client_id", tmp_path)
    assert "keys of testnet and mainnet are separate" in ended.stderr


def test_an_address_where_the_other_environment_answers(tmp_path: Path, port: int) -> None:
    """Production behind the address of the testnet is noticed by its own word."""
    with witnessed(port, is_testnet=False) as production:
        ended = once(tmp_path, production.own_port, kind="deribit", **PAPER_KEY)

    refused(ended, "venue.deribit_base_url", tmp_path)
    assert production.written == []


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        (["--set", "seed=8"], "venue.seed"),
        (
            [
                "--set",
                "venue_clock=stepped",
                "--set",
                "replay_from=2025-06-02",
                "--set",
                "replay_to=2025-06-02",
            ],
            "venue.venue_clock",
        ),
    ],
)
def test_another_market_than_the_one_that_is_served(
    tmp_path: Path, port: int, words: list[str], setting: str
) -> None:
    """An exchange of another seed or clock is not traded on."""
    refused(once(tmp_path, port, *words), setting, tmp_path)


def test_a_coin_that_is_not_traded_there(tmp_path: Path) -> None:
    """Coins that the exchange does not have are named."""
    config = tmp_path / "btc.toml"
    config.write_text('[venue]\nunderlyings = ["BTC"]\n[policy]\norder_size_by_underlying = {}\n')
    with exchange_process("--config", str(config), cwd=tmp_path) as port:
        refused(once(tmp_path, port), "venue.underlyings", tmp_path)


def test_a_port_where_something_else_listens(tmp_path: Path) -> None:
    """A server that is no exchange is told so, and is sent no order."""
    command = [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"]
    unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=unbuffered,
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().split(" port ")[1].split()[0])
        ended = once(tmp_path, port)
        server.terminate()

    refused(ended, "venue.deribit_base_url", tmp_path)


@pytest.mark.parametrize(
    ("flags", "setting"),
    [
        (["--set", "deribit_env=mainnet"], "venue.deribit_env"),
        (["--set", "deribit_base_url=https://test.deribit.com"], "venue.deribit_base_url"),
        (["--set", "deribit_base_url=https://127.0.0.1:8088"], "venue.deribit_base_url"),
        (
            ["--set", "venue_kind=deribit", "--set", "market=replay", "--set", "replay_data=x"],
            "venue.market",
        ),
        (["--clock", "stepped"], "venue.replay_from"),
    ],
)
def test_settings_that_contradict_the_venue(tmp_path: Path, flags: list[str], setting: str) -> None:
    """They are refused before anything is asked or written."""
    venue = [] if "venue_kind=deribit" in flags else ["--venue", "exchange"]
    ended = options_agent("run", *venue, *flags, cwd=tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert f"error: {setting}: found" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_dry_run_reads_the_venue_and_sends_nothing_that_writes(tmp_path: Path, port: int) -> None:
    """Orders are decided, sent and filled in its own book; the venue hears questions only."""
    with witnessed(port) as venue:
        ended = once(tmp_path, venue.own_port, kind="deribit", **PAPER_KEY)
        assert ended.returncode == 0, ended.stderr

    journal = entries(tmp_path)
    assert any(isinstance(entry, Sent) for entry in journal)
    assert any(isinstance(entry, OrderUpdated) and entry.fills for entry in journal)
    assert venue.written == []
    assert "private/get_account_summary" in venue.methods
    assert _scopes(venue) == {"session:options-agent-reads account:read trade:read"}
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["dry-run-testnet"]


def test_behind_every_open_gate_orders_do_leave(tmp_path: Path, port: int) -> None:
    """The same with dry_run off is of another book, and the venue hears of orders."""
    with witnessed(port) as venue:
        words = ["--set", "dry_run=false"]
        ended = once(tmp_path, venue.own_port, *words, kind="deribit", **PAPER_KEY)
        assert ended.returncode == 0, ended.stderr

    assert "private/sell" in venue.written
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["testnet"]


def test_production_without_the_interlock_is_a_dry_run(tmp_path: Path, port: int) -> None:
    """dry_run off is not enough: one closed gate, and it is dry, and says why."""
    with witnessed(port) as venue:
        words = ["--set", "dry_run=false", "--set", "mode=production"]
        ended = once(tmp_path, venue.own_port, *words, kind="deribit", **PAPER_KEY)
        assert ended.returncode == 0, ended.stderr

    assert "the interlock does not say testnet" in ended.stdout
    assert ended.stdout.startswith("TESTNET | production | DRY-RUN")
    assert venue.written == []


def test_without_a_key_only_public_data_is_asked_for(tmp_path: Path, port: int) -> None:
    """A dry run of nobody's account begins with the paper balances."""
    with witnessed(port) as venue:
        ended = once(tmp_path, venue.own_port, kind="deribit")
        assert ended.returncode == 0, ended.stderr

    assert any(isinstance(entry, OrderUpdated) and entry.fills for entry in entries(tmp_path))
    assert {each.split("/")[0] for each in venue.methods} == {"public"}
    assert "public/auth" not in venue.methods


def test_paper_asks_nobody(tmp_path: Path, port: int) -> None:
    """The venue in memory has no use for an address."""
    with witnessed(port) as venue:
        ended = once(tmp_path, venue.own_port, kind="paper", **PAPER_KEY)
        assert ended.returncode == 0, ended.stderr

    assert venue.asked == []


def test_a_book_of_one_environment_is_refused_by_another(tmp_path: Path, port: int) -> None:
    """A dry run's folder under the name of real orders is not taken up."""
    assert once(tmp_path, port, kind="deribit", **PAPER_KEY).returncode == 0
    (tmp_path / "data/dry-run-testnet").rename(tmp_path / "data/testnet")
    with witnessed(port) as venue:
        words = ["--set", "dry_run=false"]
        ended = once(tmp_path, venue.own_port, *words, kind="deribit", **PAPER_KEY)

    assert ended.returncode == 5, ended.stderr
    assert "holds a book of 'dry-run-testnet', not of 'testnet'" in ended.stderr
    assert venue.asked == []


def _scopes(venue: Witness) -> set[str]:
    return {each["params"]["scope"] for each in venue.asked if each["method"] == "public/auth"}
