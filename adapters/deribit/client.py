"""DeribitClient: calls of the venue's methods, throttled, authorised, and failing in our words."""

from types import TracebackType
from typing import Protocol, Self

import httpx
import stamina
from attrs import define, field, frozen

from adapters.deribit.auth import Credentials, Tokens
from adapters.deribit.errors import TOKEN_CODES, VenueError, read_error, submit_error
from adapters.deribit.rpc import Answer, HttpRpc, Param, Rpc
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

_AT_ONCE_S = 0.1  # from being asked to sending


@frozen(kw_only=True)
class RetryParams:
    """How reads are repeated: waits double from *first_wait_s*, plus up to *jitter_s*."""

    tries: int = 3
    first_wait_s: float = 0.2
    longest_wait_s: float = 5.0
    jitter_s: float = 0.3


class Access(Protocol):
    """In whose name private methods are called: Tokens, or a connection that has them."""

    async def access_token(self) -> str:
        """See Tokens."""
        ...

    def forget(self, access_token: str) -> None:
        """See Tokens."""
        ...


@define(eq=False, kw_only=True)
class DeribitClient:
    """
    The venue's JSON-RPC methods, over HTTP or a websocket.

    Without *access* only public methods can be called. Closing the client closes *rpc*. A read
    whose answer comes from another environment than *is_testnet* says is Unauthorised; None
    does not mind.
    """

    rpc: Rpc
    access: Access | None = None
    is_testnet: bool | None = None
    throttle: Throttle = field(factory=Throttle)
    retries: RetryParams = field(factory=RetryParams)

    @classmethod
    def over_http(
        cls,
        http: httpx.AsyncClient,
        credentials: Credentials | None = None,
        *,
        is_testnet: bool | None = None,
        throttle: Throttle | None = None,
        retries: RetryParams | None = None,
    ) -> Self:
        """Return a client whose requests *http* carries; it has the venue's address as its base."""
        rpc, throttle = HttpRpc(http), throttle or Throttle()
        access = None
        if credentials is not None:
            access = Tokens(rpc=rpc, credentials=credentials, now_s=throttle.now_s)
        return cls(
            rpc=rpc,
            access=access,
            is_testnet=is_testnet,
            throttle=throttle,
            retries=retries or RetryParams(),
        )

    @classmethod
    def opened(
        cls,
        base_url: str,
        credentials: Credentials | None = None,
        *,
        is_testnet: bool | None = None,
        timeout_s: float = 5.0,  # as long as an order is valid: whoever waits longer acts too late
        throttle: Throttle | None = None,
    ) -> Self:
        """Return a client of the venue at *base_url*, which is asked for nothing yet."""
        http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=5.0, pool=5.0),
            follow_redirects=False,
            trust_env=False,  # neither proxies nor credentials that the settings do not name
        )
        return cls.over_http(http, credentials, is_testnet=is_testnet, throttle=throttle)

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
        await self.rpc.close()

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
        try:
            return await self._read_once(method, params)
        except (Unavailable, Malformed):
            if self.retries.tries == 1:
                raise
        await self.throttle.sleep(self.retries.first_wait_s)
        retrying = stamina.AsyncRetryingCaller(
            attempts=self.retries.tries - 1,
            timeout=None,
            wait_initial=2.0 * self.retries.first_wait_s,
            wait_max=self.retries.longest_wait_s,
            wait_jitter=self.retries.jitter_s,
        )
        return await retrying((Unavailable, Malformed), self._read_once, method, params)

    async def submit(self, method: str, **params: Param) -> Answer:
        """
        Return the answer to *method*, which is sent once, and at once or not at all: whoever
        decided on it may decide otherwise after a wait.

        Raises:
            NeverSent: It did not leave.

            Refused: The venue certainly did not do it.

            OutcomeUnknown: It may have done it.
        """
        asked_at_s = self.throttle.now_s()
        try:
            token = await self._token(method)
            await self.throttle.free(method)
            waited_s = self.throttle.now_s() - asked_at_s
            if waited_s > _AT_ONCE_S:
                raise NeverSent(f"{method}: only now, after a wait of {waited_s:.1f} s")
            await self.throttle.turn(method)
        except Unauthorised as error:
            raise Refused(401, f"{error} ({method})") from error
        except (Unavailable, Malformed) as error:
            raise NeverSent(f"{method}: {error}") from error
        try:
            answer = await self.rpc.send(method, params, token)
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
        if answer.error is None or answer.error.code not in TOKEN_CODES or self.access is None:
            return answer
        return await self._sent(method, params)

    async def _sent(self, method: str, params: dict[str, Param]) -> Answer:
        token = await self._token(method)
        await self.throttle.turn(method)
        answer = await self.rpc.send(method, params, token)
        if answer.error is not None:
            self._learn(method, answer.error, token)
        return answer

    async def _token(self, method: str) -> str | None:
        if not method.startswith("private/"):
            return None
        if self.access is None:
            raise Unauthorised(f"{method}: there are no credentials")
        return await self.access.access_token()

    def _learn(self, method: str, error: VenueError, token: str | None) -> None:
        """Do not run into the same refusal again: drop a dead token, wait for credits."""
        if error.code in TOKEN_CODES and token is not None and self.access is not None:
            self.access.forget(token)
        if isinstance(read_error(method, error), RateLimited):
            self.throttle.emptied(method)
