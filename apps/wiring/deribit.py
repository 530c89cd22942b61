"""Deribit, or the paper exchange on loopback: market, history and trading over HTTP."""

from attrs import frozen

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.trading import DeribitTrading
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from ports.history import History
from ports.market_data import MarketData
from ports.trading import Trading

# The paper exchange has one key, which may do everything; there is no real coin to withdraw.
_PAPER_ACCESS = "account:read trade:read_write"


@frozen(eq=False, kw_only=True)
class DeribitParts:
    """What a world takes from the venue; *close* ends the connections."""

    market: MarketData
    history: History
    trading: Trading
    clients: tuple[DeribitClient, ...]

    async def close(self) -> None:
        """Close every connection."""
        for client in self.clients:
            await client.close()


def deribit_client(settings: Settings) -> DeribitClient:
    """A client of the venue that *settings* name, with its key if there is one."""
    venue = settings.venue
    credentials = None
    if venue.has_credentials:
        credentials = Credentials(
            venue.deribit_client_id,
            venue.deribit_client_secret,
            access=_PAPER_ACCESS if _is_paper(settings) else "",
        )
    return DeribitClient.opened(
        venue.base_url, credentials, is_testnet=venue.deribit_env == "testnet"
    )


def deribit_world_parts(settings: Settings) -> DeribitParts:
    """
    Market, history and trading of the venue that *settings* name.

    The testnet trades too little for its bars to mean anything: there, history is that of
    production. The paper exchange has a history of its own.
    """
    client = deribit_client(settings)
    past = client
    if not _is_paper(settings) and settings.venue.deribit_env == "testnet":
        past = DeribitClient.opened(BASE_URLS["mainnet"], is_testnet=False)
    return DeribitParts(
        market=DeribitMarketData(client=client),
        history=DeribitHistory(past),
        trading=DeribitTrading(client=client),
        clients=(client,) if past is client else (client, past),
    )


def _is_paper(settings: Settings) -> bool:
    return settings.venue.base_url not in BASE_URLS.values()
