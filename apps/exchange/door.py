"""The door of the exchange: requests come in, answers go out, and faults stand in between."""

from functools import partial

from attrs import define, evolve, field

from apps.exchange import rpc
from apps.exchange.connection import Connection
from apps.exchange.dispatch import Dispatch
from apps.exchange.faults.carrying import Process, Waits, carried
from apps.exchange.faults.kinds import PLAIN, Body, Course, FaultKind, Trick
from apps.exchange.faults.replies import spoilt
from apps.exchange.faults.runtime import Faults
from apps.exchange.hub import Hub
from apps.exchange.rpc import Answer, Request, RpcError


@define(eq=False, kw_only=True)
class Door:
    """
    What every transport asks: HTTP and websocket servers, and clients in the same process.

    *faults* None is an exchange on which nothing goes wrong, and costs nothing.
    """

    hub: Hub
    faults: Faults | None = None
    dispatch: Dispatch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.dispatch = Dispatch(self.hub.exchange, self.faults)

    @property
    def is_dead(self) -> bool:
        """Whether nothing answers now."""
        return self.faults is not None and bool(self.faults.holding(FaultKind.OUTAGE))

    def course(self, asked: Request) -> Course:
        """What becomes of *asked*; it counts as arrived."""
        return PLAIN if self.faults is None else self.faults.course(asked.method)

    async def posted(
        self, body: bytes, path_method: str | None, header: str | None, signed: str, waits: Waits
    ) -> Answer:
        """
        Return the answer to the request in *body*; *header* is its Authorization.

        Raises:
            Severed: There is no answer.
        """
        try:
            asked = rpc.request_from(body, path_method)
        except RpcError as error:
            return self.misread(rpc.id_of(body), error)
        return await self.asked(asked, header, signed, waits)

    async def asked(self, asked: Request, header: str | None, signed: str, waits: Waits) -> Answer:
        """
        Return the answer to *asked*, which came over HTTP.

        Raises:
            Severed: There is no answer.
        """
        process = partial(self._over_http, asked, header, signed)
        course = self.course(asked)
        if course is PLAIN:
            return await process()
        if course.is_overtaken or course.copies > 1:  # a connection carries one answer a request
            course = evolve(course, body=Body.WRONG_ID)
        return await self.on(course, asked, process, waits)

    async def said(self, asked: Request, connection: Connection) -> Answer:
        """The answer to *asked*, which came by *connection*, when nothing goes wrong."""
        return await self.dispatch.over_websocket(asked, connection)

    def misread(self, request_id: rpc.RequestId, error: RpcError) -> Answer:
        """The answer to what is no request."""
        return self.dispatch.failed(request_id, error, self.hub.exchange.now_us)

    async def on(self, course: Course, asked: Request, process: Process, waits: Waits) -> Answer:
        """
        Return what the client gets when *asked* takes *course*.

        Raises:
            Severed: There is no answer.
        """
        answer = await carried(course, partial(self._tricked, course.trick, process), waits)
        return spoilt(answer, course, asked, self.hub.exchange.now_us)

    async def _tricked(self, trick: Trick | None, process: Process) -> Answer:
        if trick is Trick.END_SESSIONS:
            self.hub.exchange.sessions.close_all()
        if trick is Trick.FILL_WORKING:
            await self.hub.exchange.fill_working()
        return await process()

    async def _over_http(self, asked: Request, header: str | None, signed: str) -> Answer:
        answer = await self.dispatch.over_http(asked, header, signed)
        await self.hub.say_news()
        return answer
