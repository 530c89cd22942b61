"""DeribitSession: the venue over one websocket, as a client and as streams."""

from types import TracebackType
from typing import Self

from attrs import frozen

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient
from adapters.deribit.market_data import AskedQuotes
from adapters.deribit.sockets import DeribitSocket
from adapters.deribit.stream_market import StreamedQuotes
from adapters.deribit.streams import DeribitStreams
from adapters.deribit.throttle import Throttle

_PATH = "/ws/api/v2"


@frozen(eq=False)
class DeribitSession:
    """
    What DeribitClient is over HTTP, and more: *client* asks, *streams* hear.

    The venue cancels the orders that were sent by *client* when the connection ends, be it lost
    or closed.
    """

    client: DeribitClient
    streams: DeribitStreams

    @classmethod
    def opened(
        cls,
        base_url: str,
        credentials: Credentials | None = None,
        *,
        is_testnet: bool | None = None,
        throttle: Throttle | None = None,
    ) -> Self:
        """Return a session with the venue at *base_url*, which is asked for nothing yet."""
        throttle = throttle or Throttle()
        socket = DeribitSocket(
            url=base_url.replace("http", "ws", 1) + _PATH,
            credentials=credentials,
            throttle=throttle,
        )
        access = None if credentials is None else socket
        client = DeribitClient(rpc=socket, access=access, is_testnet=is_testnet, throttle=throttle)
        return cls(client, DeribitStreams(socket))

    @property
    def quotes(self) -> StreamedQuotes:
        """Quotes for DeribitMarketData: streamed where they are fresh, else asked for."""
        return StreamedQuotes(streams=self.streams, asked=AskedQuotes(self.client))

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
        """End the connection."""
        await self.streams.close()
        await self.client.close()
