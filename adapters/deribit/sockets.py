"""DeribitSocket: the venue's JSON-RPC over a websocket that is made anew whenever it is lost."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from attrs import define, evolve, field, frozen

from adapters.deribit.auth import Credentials, Tokens
from adapters.deribit.errors import read_error
from adapters.deribit.rpc import Answer, Param
from adapters.deribit.socket_line import Line, LineParams, end_of
from adapters.deribit.throttle import Throttle
from ports.errors import Malformed, NeverSent, PortError, Unauthorised, Unavailable

_SUBSCRIBED_AT_ONCE = 100  # channels of one request, which may have 32 kB


class Listener(Protocol):
    """Who hears what the venue says by itself."""

    def heard(self, channel: str, data: object) -> None:
        """Take what was said in *channel*."""
        ...

    def lost(self) -> None:
        """Know that the connection has ended: nothing that was heard need be true any more."""
        ...


class Nobody:
    """A listener to nothing."""

    def heard(self, channel: str, data: object) -> None:
        """See Listener."""

    def lost(self) -> None:
        """See Listener."""


@frozen(kw_only=True)
class ReconnectParams:
    """
    How a lost connection is made anew, in seconds.

    Waits double from *first_wait_s* to *longest_wait_s*, each drawn between a half and the whole
    of itself. A connection counts as had when it lasted for the longest wait; after *tries*
    without one the next request makes a new beginning.
    """

    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    tries: int = 20


@define(eq=False, kw_only=True)
class DeribitSocket:
    """
    Rpc and Access over one websocket at a time.

    The first request opens it. Every connection begins in the same way: a token that dies with
    it, cancel on disconnect, heartbeats, and all subscriptions; only then it carries requests. A
    request that finds no connection tries to make one, once.
    """

    url: str
    credentials: Credentials | None = None
    throttle: Throttle = field(factory=Throttle)
    line_params: LineParams = field(factory=LineParams)
    reconnect: ReconnectParams = field(factory=ReconnectParams)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    draw: Callable[[], float] = random.random  # chance in [0, 1), for waits only
    listener: Listener = field(factory=Nobody)
    _channels: dict[str, None] = field(factory=dict, init=False)  # in order of subscription
    _line: Line | None = field(default=None, init=False)
    _opening: "asyncio.Task[Line] | None" = field(default=None, init=False)
    _staying: "asyncio.Task[None] | None" = field(default=None, init=False)

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        """See Rpc; with a *token*, only on the connection that has it."""
        line = await self._up() if token is None else self._line
        if line is None:
            raise NeverSent(f"{method}: there is no connection")
        return await line.send(method, params, token)

    async def access_token(self) -> str:
        """
        Return the token of the connection.

        Raises:
            NeverSent, Unavailable, Malformed: There is no connection, or no usable answer.

            Unauthorised: The credentials are missing or refused.
        """
        line = await self._up()
        if line.tokens is None:
            raise Unauthorised("there are no credentials")
        return await line.tokens.access_token()

    def forget(self, access_token: str) -> None:
        """See Tokens."""
        if self._line is not None and self._line.tokens is not None:
            self._line.tokens.forget(access_token)

    def follows(self, channel: str) -> bool:
        """Whether *channel* is wanted now."""
        return channel in self._channels

    async def subscribe(self, channels: Iterable[str]) -> frozenset[str]:
        """
        Have *channels* heard, now and on every later connection, and return those that will be.

        What the venue does not have is left out.

        Raises:
            NeverSent, Unavailable, Malformed: Those that are new are not wanted after all.

            Unauthorised: A channel of the account, and no credentials for it.
        """
        wanted = tuple(channels)
        if self.credentials is None and any(each.startswith("user.") for each in wanted):
            raise Unauthorised("the account is not told of without credentials")
        line = await self._up()
        new = [each for each in dict.fromkeys(wanted) if not self.follows(each)]
        self._channels |= dict.fromkeys(new)
        try:
            await self._subscribe(line, new)
        except PortError:
            self._drop(new)
            raise
        return frozenset(filter(self.follows, wanted))

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """
        Have *channels* not heard any more.

        Raises:
            NeverSent, Unavailable, Malformed: They may be heard until the connection ends.
        """
        gone = list(filter(self.follows, channels))
        self._drop(gone)
        if self._line is not None and gone:
            await self._ask(self._line, self._named("unsubscribe"), channels=gone)

    async def renew(self, channel: str) -> None:
        """
        Have *channel* told from its beginning.

        Raises:
            NeverSent, Unavailable, Malformed: Perhaps it is not heard at all now.
        """
        line = await self._up()
        await self._ask(line, self._named("unsubscribe"), channels=[channel])
        await self._subscribe(line, [channel])

    async def close(self) -> None:
        """End the connection: the venue cancels the orders that were sent over it."""
        tasks = [task for task in (self._staying, self._opening) if task is not None]
        for task in tasks:
            task.cancel()  # before the line ends, or they would make another
        if tasks:
            await asyncio.wait(tasks)
        if self._line is not None:
            await self._line.close()
        if self._staying is not None:
            await end_of(self._staying)

    async def _up(self) -> Line:
        """
        The connection; a new one where there is none.

        Raises:
            NeverSent: None could be had.

            Unauthorised, Refused: The venue wants other credentials than ours.
        """
        if self._line is not None and self._line.is_up:
            return self._line
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)  # others wait for it too

    async def _open(self) -> Line:
        if self._staying is not None and self._staying.done():
            await end_of(self._staying)
            self._staying = None
        line = await Line.opened(self.url, self._heard, self._lost, self.line_params)
        try:
            async with asyncio.timeout(self.line_params.answer_s):
                await self._greet(line)
        except (TimeoutError, Unavailable, Malformed) as error:
            await line.close()
            raise NeverSent(f"websocket: {type(error).__name__} {error}") from error
        except BaseException:
            await line.close()
            raise
        self._line = line
        if self._staying is None:
            self._staying = asyncio.create_task(self._stay())
        return line

    async def _greet(self, line: Line) -> None:
        """Begin *line* as every line begins."""
        if self.credentials is not None:
            own = evolve(self.credentials, session=None)
            line.tokens = Tokens(rpc=line, credentials=own, now_s=self.throttle.now_s)
            await self._ask(line, "private/enable_cancel_on_disconnect", scope="connection")
        await self._ask(line, "public/set_heartbeat", interval=self.line_params.heartbeat_s)
        await self._subscribe(line, list(self._channels))

    async def _subscribe(self, line: Line, channels: list[str]) -> None:
        """Ask for *channels*; those that the venue leaves out are wanted no more."""
        for first in range(0, len(channels), _SUBSCRIBED_AT_ONCE):
            part = channels[first : first + _SUBSCRIBED_AT_ONCE]
            answer = await self._ask(line, self._named("subscribe"), channels=part)
            if not isinstance(answer.result, list):
                raise Malformed(f"{answer.method}: the result is not a list")
            self._drop(channel for channel in part if channel not in answer.result)

    def _drop(self, channels: Iterable[str]) -> None:
        for channel in channels:
            self._channels.pop(channel, None)

    async def _ask(self, line: Line, method: str, **params: Param) -> Answer:
        token = None if line.tokens is None else await line.tokens.access_token()
        await self.throttle.turn(method)
        answer = await line.send(method, params, token)
        if answer.error is not None:
            raise read_error(method, answer.error)
        return answer

    async def _stay(self) -> None:
        """Have a connection again whenever one is lost, in no haste and not for ever."""
        now_s, params = self.throttle.now_s, self.reconnect
        failures = 0
        while failures < params.tries:
            if failures > 0:
                longest_s = min(params.longest_wait_s, params.first_wait_s * 2.0 ** (failures - 1))
                await self.sleep(longest_s * (1.0 + self.draw()) / 2.0)
            begun_s = now_s()
            try:
                await (await self._up()).over()
            except Unauthorised:
                return  # asking again and again would not help
            except PortError:
                failures += 1
            else:
                failures = 1 if now_s() - begun_s >= params.longest_wait_s else failures + 1

    def _named(self, method: str) -> str:
        return f"public/{method}" if self.credentials is None else f"private/{method}"

    def _heard(self, channel: str, data: object) -> None:
        self.listener.heard(channel, data)

    def _lost(self) -> None:
        self.listener.lost()
