"""What a method is: its parameters, what it needs and costs, and the call that it answers."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from apps.exchange.connection import Connection
from apps.exchange.exchange import Exchange
from apps.exchange.limits import Cost
from apps.exchange.params import Params
from apps.exchange.rpc import RpcError
from apps.exchange.sessions import Session

Given = TypeVar("Given", bound=Params)


@frozen(eq=False)
class Call:
    """
    Who calls, and by what.

    *session* is None for a stranger, *connection* for a call over HTTP.
    """

    exchange: Exchange
    session: Session | None
    connection: Connection | None

    @property
    def websocket(self) -> Connection:
        """
        The websocket it came by.

        Raises:
            RpcError: 10030, it did not.
        """
        if self.connection is None:
            raise RpcError(10030, "must_be_websocket_request")
        return self.connection

    @property
    def connection_number(self) -> int | None:
        """The number of the websocket; None over HTTP."""
        return None if self.connection is None else self.connection.number


@frozen(eq=False)
class Method(Generic[Given]):
    """
    One method of the interface.

    *scope*, such as trade:read, is what the session must allow; None is open to everybody.
    """

    answer: Callable[[Call, Given], Awaitable[object]]
    params: type[Given]
    scope: str | None = field(default=None, kw_only=True)
    cost: Cost = field(default=Cost.NON_MATCHING, kw_only=True)


Methods = dict[str, Method[Any]]
