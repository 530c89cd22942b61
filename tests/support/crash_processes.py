"""Exchange and agent as processes that can be killed, and plain JSON over HTTP between."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import define, field

from tests.support.crash_logs import Tail, kind_of
from tests.support.wire_processes import address, free_port

IN_A_TICK = ("Reconciled", "Decided", "Executed", "Marked", "Ticked")  # and in no start
LONGEST_S = 120.0  # that anything is waited for
STEPPED = ("--clock", "stepped", "--no-limits", "--token-lifetime", str(10**9))
EAGER = {  # so that a call is sold, bought back, rolled or delivered in every other tick
    "underlyings": '["BTC"]',
    "order_size_by_underlying": '{"BTC": 0.2}',
    "max_calls_per_underlying_live": "4",
    "research_ivrv_min": "0",
    "premium_min_usd": "0",
    "research_dte_max": "3",
    "liquidity_max_spread_pct": "50",
    "take_profit_captured_pct": "0.5",
    "roll_dte": "0.6",
    "order_ttl_sec": "5400",
}
_THIN = [{"kind": "thin", "span_s": 30 * 86_400}]  # orders fill in parts, and rest meanwhile
_POLL_S = 0.001


class Unexpected(RuntimeError):
    """A process did what nobody asked it for: it ended, or nothing came of it."""


@define(eq=False)
class ExchangeProcess:
    """A paper exchange with its memory in *folder*, at the same port whenever it is started."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = field(factory=free_port, init=False)
    _process: "subprocess.Popen[str] | None" = field(default=None, init=False)

    @property
    def log_directory(self) -> Path:
        """Where it writes down what has happened."""
        return self.folder / "exchange" / "venue"

    def start(self, *options: str) -> None:
        """Serve, and return once it listens."""
        (self.folder / "thin.json").write_text(json.dumps(_THIN))
        command = [sys.executable, "-m", "apps.exchange.main", "--port", str(self.port)]
        command += ["--data-dir", "exchange", "--fault-script", "thin.json"]
        command += [*self.options, *options]
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise Unexpected(f"the exchange ended with {self._process.wait()}")

    def kill(self) -> None:
        """End it by SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def call(self, method: str, token: str = "", **params: Any) -> Any:
        """What it answers to *method*."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"bearer {token}"} if token else {}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_S)
        connection.request("POST", "/api/v2", json.dumps(body), headers)
        answer = json.load(connection.getresponse())
        connection.close()
        if "error" in answer:
            raise Unexpected(f"{method}: {answer['error']}")
        return answer["result"]

    def token(self) -> str:
        """A token that may read the account."""
        key = {"client_id": "paper", "client_secret": "paper-secret"}
        granted = self.call("public/auth", grant_type="client_credentials", **key)
        return str(granted["access_token"])


@define(eq=False)
class AgentProcess:
    """One agent in *folder*, as often as it is started."""

    folder: Path
    port: int
    options: tuple[str, ...]
    settings: dict[str, str] = field(factory=dict)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _journal: Tail | None = field(default=None, init=False)

    @property
    def has_begun(self) -> bool:
        """Whether there is a book."""
        return (self.book / "journal").is_dir()

    @property
    def book(self) -> Path:
        """The folder of its one book; that may not be there yet."""
        found = [
            *self.folder.glob("data/exchange-*/journal"),
            *self.folder.glob("data/*/*/journal"),
        ]
        return found[0].parent if found else self.folder / "data" / "not yet"

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._started.pid

    @property
    def is_alive(self) -> bool:
        """Whether that runs."""
        return self._started.poll() is None

    def start(self, *options: str) -> None:
        """Start it, and return at once."""
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                self.command("run", *self.options, *options),
                cwd=self.folder,
                stdout=said,
                stderr=said,
            )

    def command(self, verb: str, *options: str) -> list[str]:
        """`options-agent` *verb* on its book."""
        command = [sys.executable, "-m", "apps.cli.main", verb, "--venue", "exchange"]
        for name, value in (EAGER | self.settings).items():
            command += ["--set", f"{name}={value}"]
        return [*command, *address(self.port), *options]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._started.send_signal(number)

    def kill(self) -> None:
        """End it by SIGKILL; it must still run."""
        self.signal(signal.SIGKILL)
        if (code := self._started.wait()) != -signal.SIGKILL:
            raise Unexpected(f"the agent ended with {code} by itself: {self.last_words()}")

    def kill_if_alive(self) -> None:
        """End it by SIGKILL if it has been started and has not ended."""
        if self._process is not None and self.is_alive:
            self.kill()

    def ended(self, within_s: float = LONGEST_S) -> int:
        """Its exit code, once it has ended."""
        try:
            return self._started.wait(within_s)
        except subprocess.TimeoutExpired as error:
            raise Unexpected(f"the agent runs on: {self.last_words()}") from error

    def says(self, verb: str, *options: str) -> str:
        """What `options-agent` *verb* prints about its book, while it may be running."""
        command = self.command(verb, "--book", str(self.book), *options)
        ended = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        if ended.returncode != 0:
            raise Unexpected(f"{verb} ended with {ended.returncode}: {ended.stderr}")
        return ended.stdout

    def new_kinds(self) -> list[str]:
        """The kinds of the journal's lines since one looked last."""
        if self._journal is None:
            if not self.has_begun:
                return []
            self._journal = Tail(self.book / "journal", "journal")
        return [kind_of(line) for line in self._journal.new()]

    def until_written(self, kinds: Container[str], count: int = 1) -> None:
        """Wait until so many more lines of *kinds* are in the journal."""
        seen = 0

        def is_written() -> bool:
            nonlocal seen
            seen += sum(kind in kinds for kind in self.new_kinds())
            return seen >= count

        self.until(is_written, f"the agent did not write down {kinds}")

    def until(self, is_reached: Callable[[], bool], otherwise: str) -> None:
        """Wait until *is_reached*, while the agent runs."""
        give_up_at_s = time.monotonic() + LONGEST_S
        while not is_reached():
            if time.monotonic() > give_up_at_s or not self.is_alive:
                raise Unexpected(f"{otherwise}: {self.last_words()}")
            pause(_POLL_S)

    def last_words(self) -> str:
        """The end of what it has said."""
        return (self.folder / "said").read_text(errors="replace")[-500:]

    def cpu_s(self) -> float:
        """Processor time it has taken."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def _started(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process


def pause(seconds: float) -> None:
    """Let real time pass: another process is at work in it."""
    time.sleep(seconds)
