"""Line: one websocket to the venue, from its opening to its end; JSON-RPC over it."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
from attrs import define, field, frozen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State
from websockets.uri import parse_uri

from adapters.deribit.auth import Tokens
from adapters.deribit.rpc import LARGEST_ANSWER, Answer, Envelope, Param, answer_of
from ports.errors import Malformed, NeverSent, Unavailable

_CLOSING_S = 1.0  # for the venue to say goodbye too
_TEST = "public/test"  # the answer to a test_request

Hear = Callable[[str, object], None]  # a channel, and what was said in it


@frozen(kw_only=True)
class LineParams:
    """
    How long things may take, in seconds.

    The venue is asked for a heartbeat every *heartbeat_s*, its least; a line on which nothing is
    heard for *silence_s*, more than two of them, is dead.
    """

    opening_s: float = 5.0
    answer_s: float = 10.0
    heartbeat_s: int = 10
    silence_s: float = 25.0


async def end_of(task: "asyncio.Task[Any]") -> None:
    """Return when *task* has ended, cancelled or not; a bug that ended it is raised here."""
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@define(eq=False, kw_only=True)
class Line:
    """
    Rpc over one websocket.

    Answers are matched by id, in whatever order they come; one that nobody waits for is let
    pass. *hear* is called with every notification, *on_end* once, when nothing will come any
    more. A frame that is not JSON-RPC ends the line: what else was lost with it nobody knows.
    *tokens* are those asked for on this line; they die with it.
    """

    websocket: ClientConnection
    hear: Hear
    on_end: Callable[[], None]
    params: LineParams
    tokens: Tokens | None = field(default=None, init=False)
    _waiting: dict[int, "asyncio.Future[Envelope]"] = field(factory=dict, init=False)
    _ids: "count[int]" = field(factory=lambda: count(1), init=False)
    _reading: "asyncio.Task[None]" = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def opened(
        cls, url: str, hear: Hear, on_end: Callable[[], None], params: LineParams
    ) -> "Line":
        """
        Return a line to *url*.

        Raises:
            NeverSent: There is no way there.
        """
        address = parse_uri(url)
        try:
            websocket = await connect(
                url,
                host=address.host,  # a redirect is followed only where host and port are free
                port=address.port,
                proxy=None,  # neither proxies nor credentials that the settings do not name
                compression=None,
                max_size=LARGEST_ANSWER,
                open_timeout=params.opening_s,
                ping_interval=None,  # the venue has heartbeats of its own
                close_timeout=_CLOSING_S,
            )
        except (OSError, ValueError, WebSocketException) as error:  # ValueError: sent elsewhere
            raise NeverSent(f"websocket: {type(error).__name__}") from error
        return cls(websocket=websocket, hear=hear, on_end=on_end, params=params)

    @property
    def is_up(self) -> bool:
        """Whether a request would leave."""
        return self.websocket.state is State.OPEN and not self._reading.done()

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        """See Rpc."""
        if not self.is_up:
            raise NeverSent(f"{method}: the connection has ended")
        request_id = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        try:
            async with asyncio.timeout(self.params.answer_s):
                await self._post(method, request_id, params, token)
                envelope = await answer
        except (TimeoutError, ConnectionClosed) as error:
            raise Unavailable(f"{method}: {type(error).__name__}") from error
        finally:
            del self._waiting[request_id]
        return answer_of(method, envelope, token=token)

    async def over(self) -> None:
        """Return when the line has ended."""
        await end_of(self._reading)

    async def close(self) -> None:
        """End the line; requests that wait for an answer are Unavailable."""
        self._reading.cancel()
        await self.over()
        await self.websocket.close()  # where reading had not begun

    async def _post(
        self, method: str, request_id: int, params: dict[str, Any], token: str | None
    ) -> None:
        named = params if token is None else {**params, "access_token": token}
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": named}
        await self.websocket.send(orjson.dumps(request), text=True)

    async def _read(self) -> None:
        """Take what comes until the end, and leave nobody waiting behind it."""
        why = "closed"
        try:
            while True:
                async with asyncio.timeout(self.params.silence_s):
                    await self._take(await self.websocket.recv(decode=False))
        except (TimeoutError, ConnectionClosed, Malformed) as error:
            why = f"{type(error).__name__} {error}"
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Unavailable(f"the connection ended: {why}"))
            self.on_end()
            await self.websocket.close()

    async def _take(self, frame: bytes) -> None:
        try:
            message = _Message.model_validate_json(frame)
        except ValidationError as error:
            raise Malformed(f"a frame of {len(frame)} bytes is not JSON-RPC") from error
        if message.method == "subscription":
            self.hear(message.params.channel, message.params.data)
        elif message.method == "heartbeat":
            if message.params.type == "test_request":
                await self._post(_TEST, next(self._ids), {}, None)
        elif isinstance(message.id, int):
            answer = self._waiting.get(message.id)
            if answer is not None and not answer.done():
                answer.set_result(message)


class _Told(BaseModel):
    """The parameters of a notification: a channel and its data, or the type of a heartbeat."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    channel: str = ""
    data: Any = None
    type: str = ""


class _Message(Envelope):
    """Whatever comes in a frame: an answer, a notification, or a word of the future."""

    method: str | None = None
    params: _Told = Field(default_factory=_Told)

    @field_validator("params", mode="before")
    @classmethod
    def _or_nothing(cls, params: object) -> object:
        return params if isinstance(params, dict) else {}
