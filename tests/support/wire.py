"""The wire between the agent's process and the exchange: watched, faulty, and without sockets."""

import httpx
import orjson
from attrs import define, field

from adapters.deribit.rpc import HttpRpc, Param
from apps.exchange.door import Door
from apps.exchange.faults.carrying import Severed, Waits
from apps.exchange.faults.kinds import Cut
from apps.exchange.rpc import Answer
from tests.support.events import Event, Requested
from tests.support.traffic import Asked
from tests.support.troubles import Kind, Mishap
from tests.support.virtual import TrueClock, pause
from tests.support.worlds import Crash

LATENCY_S = 0.05  # of one request and its answer
_ORDERS = frozenset({"private/buy", "private/sell"})
_SIGN_IN, _TOKENS = "public/auth", ("access_token", "refresh_token")
_ERRORS: dict[Cut, type[httpx.TransportError]] = {
    Cut.REFUSED: httpx.ConnectError,
    Cut.DROPPED: httpx.RemoteProtocolError,
    Cut.TIMED_OUT: httpx.ReadTimeout,
}


@define(eq=False, kw_only=True)
class Wire:
    """
    What the agent's clients ask in the place of a socket.

    It keeps in the history which orders left, in *asked* all requests, in *secrets* the tokens
    that were given out; and a process may die or freeze on it.
    """

    door: Door
    waits: Waits
    clock: TrueClock
    history: list[Event]
    asked: list[Asked] = field(factory=list)
    secrets: set[str] = field(factory=set)
    mishaps: list[tuple[int, Mishap]] = field(factory=list)  # by number of the request

    def arm(self, mishap: Mishap) -> None:
        """Let *mishap* come with the request that it counts to."""
        self.mishaps.append((len(self.asked) + mishap.count, mishap))

    async def post(self, method: str, body: bytes, token: str | None) -> Answer:
        """
        Return the exchange's answer.

        Raises:
            Severed: There is none.

            Crash: The process is gone.
        """
        self.asked.append(Asked(self.clock.now(), method))
        happening = self._happening()
        if Kind.CRASH_BEFORE_REQUEST in happening:
            raise Crash
        if method in _ORDERS:
            self._note(body)
        if Kind.FROZEN in happening:
            await pause(happening[Kind.FROZEN].span.total_seconds())
        await pause(LATENCY_S)
        header = None if token is None else f"Bearer {token}"
        answer = await self.door.posted(body, method, header, "", self.waits)
        if Kind.CRASH_AFTER_REQUEST in happening:
            raise Crash
        if method == _SIGN_IN:
            self._keep_secrets(answer)
        return answer

    def _happening(self) -> dict[Kind, Mishap]:
        if not self.mishaps:
            return {}
        count = len(self.asked)
        due = {mishap.kind: mishap for number, mishap in self.mishaps if number <= count}
        self.mishaps = [each for each in self.mishaps if each[0] > count]
        return due

    def _note(self, body: bytes) -> None:
        order = orjson.loads(body)["params"]
        self.history.append(
            Requested(
                at=self.clock.now(),
                label=order["label"],
                symbol=order["instrument_name"],
                amount=order["amount"],
                reduce_only=order["reduce_only"],
            )
        )

    def _keep_secrets(self, answer: Answer) -> None:
        """The tokens in *answer*, if it can be read."""
        try:
            told = orjson.loads(answer.body or b"")
        except orjson.JSONDecodeError:
            return
        result = told.get("result") if isinstance(told, dict) else None
        if isinstance(result, dict):
            self.secrets |= {result[name] for name in _TOKENS if name in result}


@define(eq=False)
class WireTransport(httpx.AsyncBaseTransport):
    """The wire behind the real HTTP client."""

    wire: Wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        method = request.url.path.removeprefix("/api/v2/")
        header = request.headers.get("authorization")
        token = None if header is None else header.removeprefix("Bearer ")
        try:
            answer = await self.wire.post(method, await request.aread(), token)
        except Severed as severed:
            raise _ERRORS[severed.cut](method, request=request) from severed
        return httpx.Response(answer.status, content=answer.body or b"")


class WireRpc(HttpRpc):
    """The adapter's own Rpc, which meets the wire behind its HTTP client: twice as fast."""

    def __init__(self, wire: Wire, http: httpx.AsyncClient) -> None:
        super().__init__(http)
        self._wire = wire

    async def _post(
        self, method: str, request_id: int, params: dict[str, Param], token: str | None
    ) -> tuple[int, bytes]:
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        try:
            answer = await self._wire.post(method, orjson.dumps(request), token)
        except Severed as severed:
            raise _ERRORS[severed.cut](method) from severed
        return answer.status, answer.body or b""
