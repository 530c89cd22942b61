"""Rpc: one JSON-RPC request and its answer; no retries, no credentials of its own. HTTP does it."""

from datetime import datetime
from itertools import count
from typing import Any, Protocol

import httpx
import orjson
from attrs import define, field, frozen
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.deribit.errors import VenueError
from adapters.deribit.models import END_MS
from ports.checks import from_epoch_ms
from ports.errors import Malformed, NeverSent, Unavailable

Param = str | int | float | bool | list[str]

LARGEST_ANSWER = 32 * 2**20  # bytes; every instrument of a currency is about one million
_LONGEST_MESSAGE = 200  # characters of the venue's text that reach ours
_STATUSES_THAT_SPEAK = frozenset({400, 401, 403, 429})  # certainly not carried out
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@frozen(kw_only=True)
class Answer:
    """
    What the venue said to *method*: a result, or an error. Foreign content, not yet looked into.

    *answered_at* is the venue's time of answering; *status* is that of HTTP; *is_testnet* says
    where it came from, None if it does not.
    """

    method: str
    status: int
    result: Any = None
    error: VenueError | None = None
    answered_at_us: int | None = None
    is_testnet: bool | None = None

    @property
    def answered_at(self) -> datetime:
        """
        The venue's time of this answer.

        Raises:
            Malformed: It does not say.
        """
        if self.answered_at_us is None or not 0 <= self.answered_at_us < END_MS * 1000:
            raise Malformed(f"{self.method}: the answer does not say when it was given")
        return from_epoch_ms(self.answered_at_us / 1000)


class ToldError(BaseModel):
    """An error in an envelope."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    code: int
    message: str = ""


class Envelope(BaseModel):
    """A JSON-RPC answer as it came."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: int | str | None = None
    result: Any = None
    error: ToldError | None = None
    usOut: int | None = None  # noqa: N815  the venue's name
    testnet: bool | None = None


def answer_of(
    method: str, envelope: Envelope, *, status: int = 200, token: str | None = None
) -> Answer:
    """
    Return the answer in *envelope*, without the *token* that was sent.

    Raises:
        Malformed: It holds both of result and error, or neither.
    """
    if (envelope.result is None) == (envelope.error is None):
        raise Malformed(f"{method}: request {envelope.id}: not one of result and error")
    told = envelope.error
    return Answer(
        method=method,
        status=status,
        result=envelope.result,
        error=None if told is None else VenueError(told.code, _shown(told.message, token)),
        answered_at_us=envelope.usOut,
        is_testnet=envelope.testnet,
    )


class Rpc(Protocol):
    """The venue's door: requests go in one by one, whatever carries them."""

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        """
        Send one request and return its answer.

        Raises:
            NeverSent: It certainly did not leave.

            Unavailable: It left, or may have, and no answer came.

            Malformed: The answer is not one to this request.
        """
        ...

    async def close(self) -> None:
        """Close what carries the requests."""
        ...


@define(eq=False)
class HttpRpc:
    """Rpc over HTTP: *http* has the venue's address and the time-outs."""

    http: httpx.AsyncClient
    _ids: "count[int]" = field(factory=lambda: count(1), init=False)

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        """See Rpc; whatever the HTTP status, but 5xx without an answer is Unavailable."""
        request_id = next(self._ids)
        try:
            status, body = await self._post(method, request_id, params, token)
        except _NEVER_LEFT as error:
            raise NeverSent(f"{method}: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise Unavailable(f"{method}: {type(error).__name__}") from error
        envelope = _envelope(body)
        if envelope is None:
            return _by_status(method, status)
        if envelope.id != request_id:
            raise Malformed(f"{method}: an answer to request {envelope.id}, not {request_id}")
        return answer_of(method, envelope, status=status, token=token)

    async def close(self) -> None:
        """See Rpc."""
        await self.http.aclose()

    async def _post(
        self, method: str, request_id: int, params: dict[str, Param], token: str | None
    ) -> tuple[int, bytes]:
        content = orjson.dumps(
            {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        )
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = bytearray()
        async with self.http.stream(
            "POST", f"/api/v2/{method}", content=content, headers=headers, follow_redirects=False
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise Malformed(f"{method}: request {request_id}: the answer is too long")
        return response.status_code, bytes(body)


def _envelope(body: bytes) -> Envelope | None:
    """The envelope in *body*; None if it is not JSON-RPC."""
    try:
        envelope = Envelope.model_validate_json(body)
    except ValidationError:
        return None
    return envelope if envelope.model_fields_set & {"id", "result", "error"} else None


def _by_status(method: str, status: int) -> Answer:
    """What a status says where the body is not an answer."""
    if status in _STATUSES_THAT_SPEAK:
        return Answer(method=method, status=status, error=VenueError(status, "HTTP status"))
    if status >= 500:
        raise Unavailable(f"{method}: HTTP {status}")
    raise Malformed(f"{method}: HTTP {status} and no JSON-RPC in the body")


def _shown(message: str, token: str | None) -> str:
    """The venue's text, cut, on one line, and without the token it was sent."""
    told = message if token is None else message.replace(token, "***")
    return "".join(each if each.isprintable() else " " for each in told)[:_LONGEST_MESSAGE]
