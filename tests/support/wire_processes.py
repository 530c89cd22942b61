"""The paper exchange as a process, and a stand-in for a real venue that sees every request."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any

from attrs import define, field

WRITING = ("private/buy", "private/sell", "private/edit", "private/cancel", "private/close")


# Below the ports that systems hand to whoever asks for any: one that nobody serves between two
# commands must not go to another test's server meanwhile. Each worker of a test run has its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = cycle(range(20_000 + 500 * _WORKER, 20_500 + 500 * _WORKER))


def free_port() -> int:
    """A loopback port that nobody listens on, and no other test will."""
    while True:
        port = next(_PORTS)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def address(port: int) -> list[str]:
    """The options that name *port* to the agent."""
    return ["--set", f"venue.deribit_base_url=http://127.0.0.1:{port}"]


@contextmanager
def exchange_process(*options: str, cwd: Path) -> Iterator[int]:
    """A served exchange without memory, by its port; it has the paper key."""
    command = [sys.executable, "-m", "apps.exchange.main", "--memory", "--port", "0", *options]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()  # printed once it listens
        try:
            yield int(told.rsplit(":", 1)[1].split("/")[0])
        finally:
            process.terminate()


@define(eq=False)
class Witness:
    """Passes every request on to the exchange at *port*, and keeps it."""

    port: int
    is_testnet: bool = True
    own_port: int = 0
    asked: list[dict[str, Any]] = field(factory=list)

    @property
    def methods(self) -> list[str]:
        """The methods that were called, in order."""
        return [each["method"] for each in self.asked]

    @property
    def written(self) -> list[str]:
        """Those of them that change something at a venue."""
        return [each for each in self.methods if each.startswith(WRITING)]

    def answer(self, path: str, body: bytes, token: str | None) -> tuple[int, bytes]:
        """What the exchange says."""
        self.asked.append(json.loads(body))
        upstream = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        upstream.request("POST", path, body, headers | ({"Authorization": token} if token else {}))
        response = upstream.getresponse()
        said = response.read()
        upstream.close()
        if not self.is_testnet:
            said = said.replace(b'"testnet":true', b'"testnet":false')
        return response.status, said


@contextmanager
def witnessed(port: int, *, is_testnet: bool = True) -> Iterator[Witness]:
    """A witness before the exchange at *port*; it may pass itself off as production."""
    witness = Witness(port, is_testnet)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, said = witness.answer(self.path, body, self.headers["Authorization"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        witness.own_port = server.server_address[1]
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield witness
        server.shutdown()
        thread.join()
