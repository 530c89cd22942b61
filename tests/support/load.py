"""
How many requests the paper exchange answers on one core, and how soon: `scripts/load`.

The exchange runs in a process of its own, on a core of its own; this process, on another core,
asks. The shares of both cores are printed: the load must have time left, and an exchange that had
less than its core shared it with something else.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import orjson
from attrs import define, field, frozen
from websockets.asyncio.client import ClientConnection, connect

_SERVER_CORE, _CLIENT_CORE = 0, 1
_HTTP_CONNECTIONS = 16
_SOCKETS = 100
_PER_SECOND = 10  # messages that each websocket client sends
_PATHS = {
    "ticker": "public/ticker?instrument_name={}",
    "book": "public/get_order_book?instrument_name={}&depth=5",
}


@frozen
class Figures:
    """What a run came to: answers a second, and how soon they came, in milliseconds."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu: float  # share of one core
    client_cpu: float

    def __str__(self) -> str:
        return (
            f"{self.name:<26} {self.per_second:6.0f}/s   p50 {self.p50_ms:6.2f} ms   "
            f"p99 {self.p99_ms:6.2f} ms   exchange {self.server_cpu:4.0%} of a core, "
            f"load {self.client_cpu:4.0%}; {self.per_second / self.server_cpu:.0f} in a CPU second"
        )


@define
class Clocks:
    """Wall and CPU time of a run, of both processes."""

    server: int  # process id
    wall_s: float = field(factory=time.perf_counter)
    client_s: float = field(factory=time.process_time)
    server_s: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.server_s = _cpu_s(self.server)

    def figures(self, name: str, latencies_s: list[float]) -> Figures:
        """What *latencies_s* and the clocks say."""
        wall_s = time.perf_counter() - self.wall_s
        p50, p99 = np.percentile(latencies_s, [50, 99])
        return Figures(
            name=name,
            per_second=len(latencies_s) / wall_s,
            p50_ms=1e3 * p50,
            p99_ms=1e3 * p99,
            server_cpu=(_cpu_s(self.server) - self.server_s) / wall_s,
            client_cpu=(time.process_time() - self.client_s) / wall_s,
        )


def main() -> None:
    """Run the exchange and the load, and print the figures of every run."""
    parser = argparse.ArgumentParser(prog="scripts/load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each run")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run")
    asked = parser.parse_args()
    with _exchange() as server:
        port = _port_of(server)
        os.sched_setaffinity(0, {_CLIENT_CORE})
        asyncio.run(_measure(port, server.pid, asked.seconds, asked.runs))


async def _measure(port: int, server: int, seconds: float, runs: int) -> None:
    names = await _names(port)
    for _ in range(runs):
        for kind, path in _PATHS.items():
            targets = [path.format(name) for name in names]
            print(await _over_http(kind, port, server, targets, seconds), flush=True)
        print(await _over_sockets(port, server, names, seconds), flush=True)


async def _over_http(
    kind: str, port: int, server: int, targets: list[str], seconds: float
) -> Figures:
    """As many requests as are answered, over connections that ask again at once."""
    latencies: list[float] = []
    clocks, end = Clocks(server), time.perf_counter() + seconds
    await asyncio.gather(
        *(
            _asking(port, targets[number::_HTTP_CONNECTIONS], end, latencies)
            for number in range(_HTTP_CONNECTIONS)
        )
    )
    return clocks.figures(f"{kind}, {_HTTP_CONNECTIONS} connections", latencies)


async def _asking(port: int, targets: list[str], end: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asked = 0
    while (began := time.perf_counter()) < end:
        writer.write(_request(targets[asked % len(targets)]))
        status = await _answer(reader)
        latencies.append(time.perf_counter() - began)
        asked += 1
        if status != b"200":
            raise RuntimeError(f"answered with {status.decode()}")
    writer.close()
    await writer.wait_closed()


def _request(target: str) -> bytes:
    return f"GET /api/v2/{target} HTTP/1.1\r\nHost: exchange\r\n\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer to its end and return its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return head[9:12]


async def _over_sockets(port: int, server: int, names: list[str], seconds: float) -> Figures:
    """Clients that ask at fixed instants, whether or not they were answered, and hear a channel."""
    sockets = [await connect(f"ws://127.0.0.1:{port}/ws/api/v2") for _ in range(_SOCKETS)]
    latencies: list[float] = []
    clocks = Clocks(server)
    heard = await asyncio.gather(
        *(
            _talking(socket, names[number % len(names)], number / _SOCKETS, seconds, latencies)
            for number, socket in enumerate(sockets)
        )
    )
    figures = clocks.figures(f"{_SOCKETS} websockets, {_PER_SECOND}/s each", latencies)
    print(f"  and {sum(heard) / seconds:.0f} messages a second in channels that they heard")
    for socket in sockets:
        await socket.close()
    return figures


async def _talking(
    socket: ClientConnection, name: str, offset: float, seconds: float, latencies: list[float]
) -> int:
    """Ask on schedule and return how many messages came besides answers."""
    channel = {"channels": [f"ticker.{name}.100ms"]}
    await socket.send(_message(0, "public/subscribe", channel))
    begin = time.perf_counter() + offset / _PER_SECOND
    due = [begin + tick / _PER_SECOND for tick in range(1, int(seconds * _PER_SECOND) + 1)]
    sending = asyncio.create_task(_send_when_due(socket, name, due))
    heard = answered = 0
    while answered < len(due):
        message = orjson.loads(await socket.recv())
        if message.get("id", 0) > 0:
            latencies.append(time.perf_counter() - due[message["id"] - 1])
            answered += 1
        else:
            heard += 1
    await sending
    return heard


async def _send_when_due(socket: ClientConnection, name: str, due: list[float]) -> None:
    for number, instant in enumerate(due, 1):
        await asyncio.sleep(max(instant - time.perf_counter(), 0.0))
        await socket.send(_message(number, "public/ticker", {"instrument_name": name}))


def _message(number: int, method: str, params: object) -> str:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return orjson.dumps(message).decode()


async def _names(port: int) -> list[str]:
    """Options that are quoted on both sides, from all over the chain."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request("public/get_book_summary_by_currency?currency=BTC&kind=option"))
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    rows = orjson.loads(await reader.readexactly(int(length)))["result"]
    writer.close()
    quoted = [row["instrument_name"] for row in rows if row["bid_price"] and row["ask_price"]]
    return quoted[:: max(1, len(quoted) // 200)]


@contextmanager
def _exchange() -> Iterator[subprocess.Popen[str]]:
    program = ["taskset", "-c", str(_SERVER_CORE), sys.executable, "-m", "apps.exchange.main"]
    server = subprocess.Popen(
        [*program, "--port", "0", "--memory", "--no-limits"], stdout=subprocess.PIPE, text=True
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def _port_of(server: subprocess.Popen[str]) -> int:
    """The port in the first line that the exchange prints once it answers."""
    if server.stdout is None:
        raise RuntimeError("the exchange has no output")
    line = server.stdout.readline()
    if not line.startswith("http"):
        raise RuntimeError("the exchange did not start")
    return int(line.split("/api/")[0].rpartition(":")[2])


def _cpu_s(process: int) -> float:
    """CPU seconds of *process* until now, from Linux's /proc."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
