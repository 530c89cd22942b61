"""Deribit, or the paper exchange on loopback: market, history and trading over its wire."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum

from attrs import frozen

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import AskedQuotes, DeribitMarketData, Focus, Quotes, nothing
from adapters.deribit.throttle import Throttle
from adapters.deribit.trading import DeribitTrading
from adapters.deribit.volatility import DeribitVolatility
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from ports.history import History
from ports.market_data import MarketData
from ports.trading import Trading
from ports.volatility import Volatility


class Access(StrEnum):
    """What tokens are asked to allow; all a key may do finds out one that may withdraw."""

    ALL = ""
    TRADE = "account:read trade:read_write"
    READ = "account:read trade:read"

    @property
    def session(self) -> str:
        """The session's name: a look from beside must not end the session of who trades."""
        return "options-agent-reads" if self is Access.READ else "options-agent"


@frozen(eq=False, kw_only=True)
class DeribitParts:
    """What a world takes from the venue."""

    market: MarketData
    history: History
    volatility: Volatility
    trading: Trading


def public_client(settings: Settings, timeout_s: float = 5.0) -> DeribitClient:
    """A client of the venue that *settings* name, for public methods only."""
    return DeribitClient.opened(
        settings.venue.base_url, is_testnet=settings.is_testnet, timeout_s=timeout_s
    )


@asynccontextmanager
async def deribit_parts(
    settings: Settings,
    access: Access,
    *,
    focus: Focus = nothing,
    throttle: Throttle | None = None,
) -> AsyncIterator[DeribitParts]:
    """
    What a world takes from the venue that *settings* name, connected until the end.

    The testnet trades too little for its bars to mean anything: there, history and volatility
    are those of production. The paper exchange has a history of its own.
    """
    venue = settings.venue
    async with AsyncExitStack() as opened:
        client, quotes = await _line(settings, access, throttle, opened)
        past = client
        if venue.base_url == BASE_URLS["testnet"]:
            past = await opened.enter_async_context(
                DeribitClient.opened(BASE_URLS["mainnet"], is_testnet=False)
            )
        yield DeribitParts(
            market=DeribitMarketData(client=client, quotes=quotes, focus=focus),
            history=DeribitHistory(past),
            volatility=DeribitVolatility(past),
            trading=DeribitTrading(client=client),
        )


async def _line(
    settings: Settings, access: Access, throttle: Throttle | None, opened: AsyncExitStack
) -> tuple[DeribitClient, Quotes]:
    """A client by HTTP or websocket, and where sharper quotes come from; *opened* closes it."""
    venue, key = settings.venue, None
    if venue.key_id:
        key = Credentials(venue.key_id, venue.key_secret, access.session, access)
    if venue.deribit_transport == "websocket":
        from adapters.deribit.session import DeribitSession  # noqa: PLC0415  nobody else loads it

        session = await opened.enter_async_context(
            DeribitSession.opened(
                venue.base_url, key, is_testnet=settings.is_testnet, throttle=throttle
            )
        )
        return session.client, session.quotes
    client = await opened.enter_async_context(
        DeribitClient.opened(venue.base_url, key, is_testnet=settings.is_testnet, throttle=throttle)
    )
    return client, AskedQuotes(client)
