"""Tokens: the access token, renewed in time and never shown."""

import asyncio
import time
from collections.abc import Callable

from attrs import define, field, frozen
from pydantic import SecretStr, ValidationError

from adapters.deribit.errors import MEANINGS, NOT_IN_THE_TABLE
from adapters.deribit.models import GrantedToken
from adapters.deribit.rpc import Answer, Param, Rpc
from ports.errors import Malformed, NeverSent, Unauthorised, Unavailable

_AUTH = "public/auth"
_RENEW_AFTER = 0.8  # of the lifetime
_FORBIDDEN_SCOPES = frozenset({"wallet:read_write"})  # may move coin out


@frozen
class Credentials:
    """
    An API key; *session* names the venue's session, so that a token outlives a connection. A token
    without one dies with the connection that asked for it.

    *access* is what tokens are asked to allow. Empty asks for all that the key may do, and so
    finds out a key that may withdraw; naming less is for a venue without real money.
    """

    client_id: str
    client_secret: SecretStr
    session: str | None = "options-agent"
    access: str = ""


@frozen
class _Token:
    granted: GrantedToken
    since_s: float

    def age(self, now_s: float) -> float:
        """The share of its lifetime that has passed."""
        return (now_s - self.since_s) / self.granted.expires_in


@define(eq=False, kw_only=True)
class Tokens:
    """
    The token of one API key: had by its credentials, then by refresh tokens.

    A key that may withdraw coin is refused: the agent has no use for it.
    """

    rpc: Rpc
    credentials: Credentials
    now_s: Callable[[], float] = time.monotonic
    _token: _Token | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def access_token(self) -> str:
        """
        Return a token that is good now.

        Raises:
            Unauthorised: The credentials are refused, or may withdraw coin.

            Unavailable, NeverSent, Malformed: There was no usable answer.
        """
        token = self._token
        if token is not None and token.age(self.now_s()) < _RENEW_AFTER:
            return token.granted.access_token.get_secret_value()
        async with self._turn:
            if self._token is None:
                self._token = await self._by_credentials()
            elif self._token.age(self.now_s()) >= _RENEW_AFTER:
                self._token = await self._renewed(self._token)
            return self._token.granted.access_token.get_secret_value()

    def forget(self, access_token: str) -> None:
        """Have a new token next time, unless *access_token* has been replaced already."""
        token = self._token
        if token and token.granted.access_token.get_secret_value() == access_token:
            self._token = None

    async def _renewed(self, token: _Token) -> _Token:
        """A new token; the old one for as long as it lasts while the venue does not answer."""
        try:
            return await self._by_refresh(token)
        except (Unavailable, NeverSent):
            if token.age(self.now_s()) >= 1.0:
                raise
            return token

    async def _by_refresh(self, token: _Token) -> _Token:
        refresh_token = token.granted.refresh_token.get_secret_value()
        try:
            return await self._ask(grant_type="refresh_token", refresh_token=refresh_token)
        except Unauthorised:
            return await self._by_credentials()

    async def _by_credentials(self) -> _Token:
        session = self.credentials.session
        lasting = "connection" if session is None else f"session:{session}"
        return await self._ask(
            grant_type="client_credentials",
            client_id=self.credentials.client_id,
            client_secret=self.credentials.client_secret.get_secret_value(),
            scope=f"{lasting} {self.credentials.access}".rstrip(),
        )

    async def _ask(self, **params: Param) -> _Token:
        asked_at_s = self.now_s()  # before asking: a token is never thought younger than it is
        answer = await self.rpc.send(_AUTH, params)
        granted = _granted(answer)
        forbidden = _FORBIDDEN_SCOPES & set(granted.scope.split())
        if forbidden:
            raise Unauthorised(f"the API key may withdraw coin, {', '.join(forbidden)}: refused")
        return _Token(granted, asked_at_s)


def _granted(answer: Answer) -> GrantedToken:
    """What was granted; the venue's own words are left out, they might repeat a secret."""
    if answer.error is not None:
        meaning = MEANINGS.get(answer.error.code, NOT_IN_THE_TABLE)
        if issubclass(meaning.of_read, Unavailable):
            raise meaning.of_read(f"{_AUTH}: {answer.error.code}")
        raise Unauthorised(f"{_AUTH}: {answer.error.code}")
    try:
        return GrantedToken.model_validate(answer.result)
    except ValidationError as error:
        raise Malformed(
            f"{_AUTH}: {error.error_count()} fields are not as they should be"
        ) from None
