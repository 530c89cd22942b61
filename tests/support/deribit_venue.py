"""A Deribit that answers from a script, in the venue's words, without a network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from attrs import define, field
from pydantic import SecretStr

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.throttle import Throttle

NOW = datetime(2026, 9, 18, 12, tzinfo=UTC)
KEY_WORDS = "words-of-the-key"
Reply = Callable[[dict[str, Any]], httpx.Response]


def result(value: Any, *, at: datetime = NOW) -> Reply:
    """The result *value*, given at *at*."""
    return lambda asked: _json(200, asked, at, result=value)


def error(code: int, message: str = "told so", *, status: int = 400) -> Reply:
    """The venue's error *code*."""
    return lambda asked: _json(status, asked, NOW, error={"code": code, "message": message})


def raw(status: int, body: str) -> Reply:
    """Any body at all."""
    return lambda _: httpx.Response(status, text=body)


def broken(failure: Exception) -> Reply:
    """No answer: the transport raises *failure*."""

    def reply(_: dict[str, Any]) -> httpx.Response:
        raise failure

    return reply


def granted(
    name: str = "token-1", *, expires_in: float = 900, scope: str = "trade:read_write"
) -> Reply:
    """A token of public/auth."""
    return result(
        {
            "access_token": name,
            "refresh_token": f"refresh-of-{name}",
            "expires_in": expires_in,
            "scope": f"session:options-agent {scope}",
            "token_type": "bearer",
        }
    )


@define
class Watch:
    """Seconds that pass only by waiting."""

    seconds: float = 1000.0

    def now_s(self) -> float:
        return self.seconds

    async def sleep(self, wait_s: float) -> None:
        self.seconds += wait_s


@define
class ScriptedVenue:
    """
    Replies by method: the next of its list, the last one again and again.

    *asked* keeps every request's body, *tokens* its bearer, in order.
    """

    replies: dict[str, list[Reply]] = field(factory=lambda: {"public/auth": [granted()]})
    asked: list[dict[str, Any]] = field(factory=list)
    tokens: list[str | None] = field(factory=list)
    watch: Watch = field(factory=Watch)
    is_testnet: bool | None = None  # what its clients expect; its answers are of the testnet

    def on(self, method: str, *replies: Reply) -> "ScriptedVenue":
        """Let *method* be answered by *replies*."""
        self.replies[method] = list(replies)
        return self

    def params(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every request of *method*."""
        return [body["params"] for body in self.asked if body["method"] == method]

    def count(self, method: str) -> int:
        """How often *method* was asked."""
        return len(self.params(method))

    def http(self) -> httpx.AsyncClient:
        """What carries requests here."""
        return httpx.AsyncClient(
            base_url="https://venue.test", transport=httpx.MockTransport(self._answer)
        )

    def client(self, *, with_credentials: bool = True) -> DeribitClient:
        """A client of this venue that retries without waiting."""
        return DeribitClient.over_http(
            self.http(),
            Credentials("key-1", SecretStr(KEY_WORDS)) if with_credentials else None,
            is_testnet=self.is_testnet,
            throttle=Throttle(now_s=self.watch.now_s, sleep=self.watch.sleep),
            retries=RetryParams(first_wait_s=0.0, longest_wait_s=0.0, jitter_s=0.0),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert request.url.path == f"/api/v2/{body['method']}"
        self.asked.append(body)
        bearer = request.headers.get("Authorization")
        self.tokens.append(bearer.removeprefix("Bearer ") if bearer else None)
        script = self.replies[body["method"]]
        reply = script.pop(0) if len(script) > 1 else script[0]
        return reply(body)


def _json(status: int, asked: dict[str, Any], at: datetime, **content: Any) -> httpx.Response:
    answered_us = round(at.timestamp() * 1_000_000)
    envelope = {
        "jsonrpc": "2.0",
        "id": asked["id"],
        "testnet": True,
        "usIn": answered_us - 100,
        "usOut": answered_us,
        "usDiff": 100,
        **content,
    }
    return httpx.Response(status, json=envelope)
