"""The paper exchange as a child of this process: started where nobody serves, ended with us."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import orjson
from attrs import frozen

from adapters.deribit.client import DeribitClient
from apps.settings.keys import BY_NAME
from apps.settings.root import Settings
from ports.errors import NeverSent, PortError, Unavailable

_LONGEST_START_S = 60.0  # kernels may have to be compiled
_LONGEST_END_S = 1.0  # nobody is connected any more, and all it knows is safe on its medium
_POLL_S = 0.05
_STEPPED_TOKEN_S = 10**9  # a stepped exchange goes through months in one session
_SAID = "stderr"
# The settings that an exchange is served by; all others are the agent's own affair.
_MARKET = ("underlyings", "market", "seed", "replay_data", "replay_from", "paper_balances")


@frozen(kw_only=True)
class ExchangePlan:
    """
    How an exchange of our own is served: its memory in *directory*, None for none.

    *start* is where its time begins, None for where it would by itself.
    """

    directory: Path | None
    start: datetime | None = None


def free_address() -> str:
    """A loopback address at which nobody serves: for an exchange of our own that is new."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def answers(client: DeribitClient) -> bool:
    """Whether anything at all answers: what it is, is asked later."""
    try:
        await client.submit("public/test")
    except NeverSent:
        return False
    except PortError:
        return True
    return True


@asynccontextmanager
async def served_exchange(
    settings: Settings, client: DeribitClient, plan: ExchangePlan
) -> AsyncIterator[None]:
    """
    Have a paper exchange at the address of *settings*: the one that answers *client*, or our own.

    Ours has the market and the key of *settings* and ends with this block. If this process is
    killed it ends too, because its standard input does.

    Raises:
        Unavailable: It did not start; says what it said.
    """
    if await answers(client):
        yield
        return
    with TemporaryDirectory(prefix="paper-exchange-") as folder:
        process = _started(settings, plan, Path(folder))
        try:
            await _until_it_answers(client, process, Path(folder))
            yield
        finally:
            _end(process)


async def _until_it_answers(
    client: DeribitClient, process: "subprocess.Popen[bytes]", folder: Path
) -> None:
    loop = asyncio.get_running_loop()
    give_up_at_s = loop.time() + _LONGEST_START_S
    while not await answers(client):
        if process.poll() is not None or loop.time() > give_up_at_s:
            said = (folder / _SAID).read_text(errors="replace").strip().splitlines()
            raise Unavailable(f"the paper exchange did not start: {said[-1] if said else 'silent'}")
        await asyncio.sleep(_POLL_S)


def _started(settings: Settings, plan: ExchangePlan, folder: Path) -> "subprocess.Popen[bytes]":
    """The process, in a session of its own: Ctrl-C is for us, and we still need it then."""
    with (folder / _SAID).open("wb") as said:
        return subprocess.Popen(  # noqa: S603  our own program, with our own words
            _program(settings, plan),
            cwd=folder,  # where there is neither .env nor a settings file
            env=_environment(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )


def _program(settings: Settings, plan: ExchangePlan) -> list[str]:
    address = urlsplit(settings.venue.base_url)
    program = [sys.executable, "-m", "apps.exchange.main", "--tied"]
    program += ["--host", str(address.hostname), "--port", str(address.port)]
    if plan.start is not None:
        program += ["--start", f"{plan.start:%Y-%m-%dT%H:%M:%S.%f}"]
    if settings.venue.is_stepped:
        program += ["--clock", "stepped", "--no-limits", "--token-lifetime", str(_STEPPED_TOKEN_S)]
    if plan.directory is None:
        return [*program, "--memory"]
    return [*program, "--data-dir", str(plan.directory.absolute())]


def _environment(settings: Settings) -> dict[str, str]:
    """Our environment with the market of *settings*, wherever we had that from."""
    venue = settings.venue
    if venue.replay_data is not None:
        venue = venue.model_copy(update={"replay_data": venue.replay_data.absolute()})
    told = venue.model_dump(mode="json", include=set(_MARKET), exclude_none=True)
    texts = {
        name.upper(): value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in told.items()
    }
    foreign = {name: value for name, value in os.environ.items() if name.lower() not in BY_NAME}
    key = {
        "PAPER_CLIENT_ID": venue.key_id,
        "PAPER_CLIENT_SECRET": venue.key_secret.get_secret_value(),
    }
    return foreign | texts | key


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close its input, which ends it, and wait until it is gone; kill it if it hangs."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_LONGEST_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
