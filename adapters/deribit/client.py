"""DeribitClient: calls of the venue's methods, throttled, authorised, and failing in our words."""

from types import TracebackType
from typing import Self

import httpx
import stamina
from attrs import define, field, frozen

from adapters.deribit.auth import Credentials, Tokens
from adapters.deribit.errors import TOKEN_CODES, VenueError, read_error, submit_error
from adapters.deribit.rpc import Answer, Param, Rpc
from adapters.deribit.throttle import Throttle
from ports.errors import (
    Malformed,
    NeverSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unauthorised,
    Unavailable,
)


@frozen(kw_only=True)
class RetryParams:
    """How reads are repeated: waits double from *first_wait_s*, plus up to *jitter_s*."""

    tries: int = 3
    first_wait_s: float = 0.2
    longest_wait_s: float = 5.0
    jitter_s: float = 0.3


@define(eq=False, kw_only=True)
class DeribitClient:
    """
    The venue's JSON-RPC methods over HTTP.

    Without *credentials* only public methods can be called. *http* must have the venue's
    address as its base; closing the client closes it. A read whose answer comes from another
    environment than *is_testnet* says is Unauthorised; None does not mind.
    """

    http: httpx.AsyncClient
    credentials: Credentials | None = None
    is_testnet: bool | None = None
    throttle: Throttle = field(factory=Throttle)
    retries: RetryParams = field(factory=RetryParams)
    _rpc: Rpc = field(init=False)
    _tokens: Tokens | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._rpc = Rpc(self.http)
        self._tokens = None
        if self.credentials is not None:
            self._tokens = Tokens(
                rpc=self._rpc, credentials=self.credentials, now_s=self.throttle.now_s
            )

    @classmethod
    def opened(
        cls,
        base_url: str,
        credentials: Credentials | None = None,
        *,
        is_testnet: bool | None = None,
        timeout_s: float = 10.0,
    ) -> Self:
        """Return a client of the venue at *base_url*, which is asked for nothing yet."""
        http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=5.0, pool=5.0),
            follow_redirects=False,
            trust_env=False,  # neither proxies nor credentials that the settings do not name
        )
        return cls(http=http, credentials=credentials, is_testnet=is_testnet)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def read(self, method: str, **params: Param) -> Answer:
        """
        Return the answer to *method*, which may be asked any number of times.

        Tried again while the venue is unreachable, unreadable, or says "not now".

        Raises:
            Unavailable: No answer within the tries, or "not now" each time.

            Malformed: Only answers that are not JSON-RPC.

            Unauthorised: The venue wants other credentials than ours.

            Refused: The venue said no.
        """
        retrying = stamina.AsyncRetryingCaller(
            attempts=self.retries.tries,
            timeout=None,
            wait_initial=self.retries.first_wait_s,
            wait_max=self.retries.longest_wait_s,
            wait_jitter=self.retries.jitter_s,
        )
        return await retrying((Unavailable, Malformed), self._read_once, method, params)

    async def submit(self, method: str, **params: Param) -> Answer:
        """
        Return the answer to *method*, which is sent once.

        Raises:
            NeverSent: It did not leave.

            Refused: The venue certainly did not do it.

            OutcomeUnknown: It may have done it.
        """
        try:
            token = await self._token(method)
            await self.throttle.turn(method)
        except Unauthorised as error:
            raise Refused(401, f"{error} ({method})") from error
        except (Unavailable, Malformed) as error:
            raise NeverSent(f"{method}: {error}") from error
        try:
            answer = await self._rpc.send(method, params, token)
        except (Unavailable, Malformed) as error:
            raise OutcomeUnknown(str(error)) from error
        if answer.status >= 500:
            raise OutcomeUnknown(f"{method}: HTTP {answer.status}")
        if answer.error is not None:
            self._learn(method, answer.error, token)
            raise submit_error(method, answer.error)
        return answer

    async def _read_once(self, method: str, params: dict[str, Param]) -> Answer:
        try:
            answer = await self._authorised(method, params)
        except NeverSent as error:
            raise Unavailable(str(error)) from error
        if answer.is_testnet is not None and self.is_testnet == (not answer.is_testnet):
            told = "the test environment" if answer.is_testnet else "production"
            raise Unauthorised(f"{method}: it is {told} that answers, and not what was meant")
        if answer.error is not None:
            raise read_error(method, answer.error)
        return answer

    async def _authorised(self, method: str, params: dict[str, Param]) -> Answer:
        """The answer; where the token is refused, that to one more try with a new one."""
        answer = await self._sent(method, params)
        if answer.error is None or answer.error.code not in TOKEN_CODES or self._tokens is None:
            return answer
        return await self._sent(method, params)

    async def _sent(self, method: str, params: dict[str, Param]) -> Answer:
        token = await self._token(method)
        await self.throttle.turn(method)
        answer = await self._rpc.send(method, params, token)
        if answer.error is not None:
            self._learn(method, answer.error, token)
        return answer

    async def _token(self, method: str) -> str | None:
        if not method.startswith("private/"):
            return None
        if self._tokens is None:
            raise Unauthorised(f"{method}: there are no credentials")
        return await self._tokens.access_token()

    def _learn(self, method: str, error: VenueError, token: str | None) -> None:
        """Do not run into the same refusal again: drop a dead token, wait for credits."""
        if error.code in TOKEN_CODES and token is not None and self._tokens is not None:
            self._tokens.forget(token)
        if isinstance(read_error(method, error), RateLimited):
            self.throttle.emptied(method)
