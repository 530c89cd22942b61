"""One websocket: who is on it, what it hears, and the messages on their way out."""

from asyncio import Queue, QueueFull

from attrs import define, field, frozen

from apps.exchange.sessions import Session

_MOST_WAITING = 5_000  # messages; a client that reads slower than that is cut off


@frozen
class Farewell:
    """What a websocket is closed with."""

    code: int
    reason: str


NORMAL = Farewell(1000, "")
SILENT = Farewell(4000, "heartbeat close")  # as Deribit closes who leaves a test unanswered
_SLOW = Farewell(4000, "connection_too_slow")


@define(eq=False)
class Connection:
    """
    The state of one websocket, from its opening to its end.

    *outbox* holds what is to be sent; None in it asks for the connection to be closed.
    """

    number: int
    session: Session | None = None
    channels: set[str] = field(factory=set)
    joining: list[str] = field(factory=list)  # to be heard once the answer is on its way
    heartbeat_s: float | None = None
    heard_s: float = 0.0  # when the client last said something, on the server's own time
    beat_s: float = 0.0  # when it was last sent a heartbeat
    is_tested: bool = False  # a test_request has not been answered yet
    cancels_on_disconnect: bool = False
    is_closing: bool = False
    farewell: Farewell = NORMAL
    outbox: Queue[bytes | None] = field(factory=lambda: Queue(_MOST_WAITING))

    def send(self, message: bytes) -> None:
        """Put *message* on its way; a client that does not read is closed instead."""
        try:
            self.outbox.put_nowait(message)
        except QueueFull:
            self.close_now(_SLOW)

    def close(self) -> None:
        """Close it behind what is on its way."""
        try:
            self.outbox.put_nowait(None)
        except QueueFull:
            self.close_now()

    def close_now(self, farewell: Farewell = NORMAL) -> None:
        """Close it with *farewell*; what is on its way is lost."""
        self.farewell = farewell
        self.is_closing = True
        while not self.outbox.empty():
            self.outbox.get_nowait()
        self.outbox.put_nowait(None)
