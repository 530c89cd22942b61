"""From a request to its answer: who may call what, at which price, and what went wrong."""

import logging
from typing import Any

from attrs import define, field

from apps.exchange import rpc
from apps.exchange.connection import Connection
from apps.exchange.exchange import Exchange
from apps.exchange.faults.methods import fault_methods
from apps.exchange.faults.runtime import Faults
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.methods_absent import ABSENT_METHODS
from apps.exchange.methods_account import ACCOUNT_METHODS
from apps.exchange.methods_market import MARKET_METHODS
from apps.exchange.methods_order_lists import ORDER_LIST_METHODS
from apps.exchange.methods_orders import ORDER_METHODS
from apps.exchange.methods_owner import OWNER_METHODS
from apps.exchange.methods_past import PAST_METHODS
from apps.exchange.methods_protection import PROTECTION_METHODS
from apps.exchange.methods_reference import REFERENCE_METHODS
from apps.exchange.methods_session import session_methods
from apps.exchange.methods_settled import SETTLED_METHODS
from apps.exchange.methods_stream import STREAM_METHODS
from apps.exchange.methods_volatility import VOLATILITY_METHODS
from apps.exchange.methods_wallet import WALLET_METHODS
from apps.exchange.params import read_params
from apps.exchange.rpc import Answer, Request, RpcError
from apps.exchange.sessions import Session, unauthorized
from ports.errors import NeverSent, OutcomeUnknown, PortError, Refused, Unavailable

_LOG = logging.getLogger("options_agent.exchange")
_SILENT = "private/logout"  # is never answered


@define(eq=False)
class Dispatch:
    """All methods of one exchange; *faults* are what its method paper/faults arms."""

    exchange: Exchange
    faults: Faults | None = None
    methods: Methods = field(init=False)
    _names: frozenset[str] = field(init=False)  # of the parameters of all methods

    def __attrs_post_init__(self) -> None:
        self.methods = {
            **session_methods(can_be_stepped=self.exchange.params.can_be_stepped),
            **ABSENT_METHODS,
            **OWNER_METHODS,
            **REFERENCE_METHODS,
            **VOLATILITY_METHODS,
            **MARKET_METHODS,
            **PAST_METHODS,
            **SETTLED_METHODS,
            **ORDER_METHODS,
            **ORDER_LIST_METHODS,
            **ACCOUNT_METHODS,
            **PROTECTION_METHODS,
            **STREAM_METHODS,
            **WALLET_METHODS,
            **({} if self.faults is None else fault_methods(self.faults)),
        }
        models = (method.params for method in self.methods.values())
        self._names = frozenset(name for model in models for name in model.model_fields)

    async def over_http(self, request: Request, header: str | None, signed_text: str) -> Answer:
        """Answer a *request* over HTTP; *header* is its Authorization."""
        us_in = self.exchange.now_us
        try:
            session = self._session_over_http(request, header, signed_text)
            result = await self._result(request, session, None)
        except RpcError as error:
            return self.failed(request.id, error, us_in)
        return Answer(rpc.success(request.id, result, us_in, self.exchange.now_us))

    async def over_websocket(self, request: Request, connection: Connection) -> Answer:
        """Answer a *request* that came by *connection*."""
        us_in = self.exchange.now_us
        try:
            session = self._session_over_websocket(request, connection)
            result = await self._result(request, session, connection)
        except RpcError as error:
            return self.failed(request.id, error, us_in)
        if request.method == _SILENT:
            return Answer(None)
        return Answer(rpc.success(request.id, result, us_in, self.exchange.now_us))

    def failed(self, request_id: rpc.RequestId, error: RpcError, us_in: int) -> Answer:
        """The answer that tells *error*."""
        return rpc.failed(request_id, error, us_in, self.exchange.now_us)

    async def _result(
        self, request: Request, session: Session | None, connection: Connection | None
    ) -> object:
        method = self.methods.get(request.method)
        if method is None:
            raise rpc.method_not_found()
        self._require_scope(method, session)
        if session is not None:
            self.exchange.meter.take(method.cost, self.exchange.now_s)
        params = read_params(method.params, request.params, self._names)
        try:
            return await method.answer(Call(self.exchange, session, connection), params)
        except PortError as error:
            raise _on_the_wire(error) from error
        except RpcError:
            raise
        except Exception as error:  # the rim of a request: a bug ends here, and is shown
            _LOG.exception("%s failed", request.method)
            raise RpcError(11094, "internal_server_error") from error

    def _require_scope(self, method: Method[Any], session: Session | None) -> None:
        if method.scope is None:
            return
        if session is None:
            raise RpcError(10000, "authorization_required")
        if not session.allows(method.scope):
            raise RpcError(13021, "forbidden", {"required_scope": method.scope})

    def _session_over_http(
        self, request: Request, header: str | None, signed_text: str
    ) -> Session | None:
        """The session of the header or of `access_token`; a public method needs neither."""
        exchange, token = self.exchange, _taken_token(request)
        if request.method == "public/auth":
            return None
        if header:
            return exchange.sessions.by_header(header, signed_text, exchange.now_s)
        return exchange.sessions.by_token(token, None, exchange.now_s) if token else None

    def _session_over_websocket(self, request: Request, connection: Connection) -> Session | None:
        exchange, token = self.exchange, _taken_token(request)
        if request.method == "public/auth":
            return None
        if token:
            return exchange.sessions.by_token(token, connection.number, exchange.now_s)
        if connection.session is None or request.method.startswith("public/"):
            return connection.session
        return exchange.sessions.checked(connection.session, connection.number, exchange.now_s)


def _taken_token(request: Request) -> str | None:
    """The token among the parameters, which no method knows."""
    if request.method == _SILENT:
        return None
    token = request.params.pop("access_token", None)
    if token is not None and not isinstance(token, str):
        raise unauthorized("invalid_token")
    return token


def _on_the_wire(error: PortError) -> RpcError:
    """The code of *error*: the venue's own, or what comes nearest."""
    if isinstance(error, Refused):
        return RpcError(error.code, error.message)
    if isinstance(error, OutcomeUnknown):
        return RpcError(13888, "timed_out")
    if isinstance(error, NeverSent | Unavailable):
        return RpcError(13028, "temporarily_unavailable", {"reason": str(error)})
    _LOG.error("the exchange cannot go on: %s", error)
    return RpcError(11094, "internal_server_error")
