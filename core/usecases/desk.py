"""The desk: the world, the book and the rules that one running agent works with."""

from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field, frozen

from core.execution.intents import OrderParams
from core.health.guard import HealthParams
from core.risk.exposure import RiskState
from core.risk.gates import VenueAddress
from core.risk.limits import RiskLimits, in_force
from core.strategies.base import Strategy
from core.usecases.bookkeeper import Bookkeeper
from ports.controls import ReconcileAction, RuntimeControls
from ports.decision_log import Halted
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot
from ports.positions import OrderRecord
from ports.trading import Account, Order
from ports.world import World

_Value = TypeVar("_Value")

_HOLDS_FOR = timedelta(seconds=2)  # what was read; far below every age at which it is refused


@frozen(kw_only=True)
class DeskParams:
    """What an agent is run with, beside the world and its strategies."""

    underlyings: tuple[str, ...]
    seed: int
    limits: RiskLimits
    orders: OrderParams
    reconcile_action: ReconcileAction = ReconcileAction.HALT
    reconcile_tolerance_usd: float = 10.0
    kill_switch: bool = False
    program_version: str = ""
    settings_hash: str = ""
    health: HealthParams | None = None  # None: nobody watches it
    address: VenueAddress | None = None  # None: no venue is connected to
    future_rules: Mapping[str, ContractRules] = field(factory=dict)  # of futures, by coin


@frozen(kw_only=True, eq=False)
class Desk:
    """One agent at work."""

    world: World
    keeper: Bookkeeper
    strategies: tuple[Strategy, ...]
    params: DeskParams

    @property
    def now(self) -> datetime:
        """The instant, by the world's clock."""
        return self.world.clock.now()

    @property
    def environment_agrees(self) -> bool:
        """Whether book, world and the venue's address are of one environment."""
        address = self.params.address
        is_own_book = self.keeper.book.environment == self.world.environment
        return is_own_book and (address is None or address.agrees)

    def reconcile_action(self) -> ReconcileAction:
        """What a difference leads to, by settings or by a person's overlay."""
        overlay = self.keeper.book.controls.position_reconcile_action
        return overlay if overlay is not None else self.params.reconcile_action


@frozen(kw_only=True, eq=False)
class Reading:
    """One underlying as it was read: what a turn decides on."""

    snapshot: MarketSnapshot
    account: Account
    external: tuple[Order, ...]
    clock_skew: timedelta


@frozen(eq=False)
class AccountReading:
    """An account, and how far our clock is from the venue's by it: positive is ahead."""

    account: Account
    clock_skew: timedelta


async def account_now(desk: Desk, underlying: str) -> AccountReading:
    """
    Read the account in *underlying*.

    The venue read it between our asking and its answer: what lies outside is skew.

    Raises:
        PortError: It could not be read.
    """
    asked_at = desk.now
    account = await desk.world.trading.account(underlying)
    nearest = min(max(account.read_at, asked_at), desk.now)
    return AccountReading(account, nearest - account.read_at)


async def read(desk: Desk, underlying: str) -> Reading:
    """
    Read market, account and working orders of *underlying*, all or nothing.

    Raises:
        PortError: One of them could not be read.
    """
    return await Look(desk, underlying).reading()


@frozen(eq=False)
class _Seen(Generic[_Value]):
    """What was read *at* an instant of our clock, when the book had *orders*."""

    value: _Value
    at: datetime
    orders: Mapping[str, OrderRecord]


@define(eq=False)
class Look:
    """
    What is seen of *underlying* during one tick, read again as far as it no longer holds.

    A market holds for a moment, the account and the orders on it until one of ours has moved.
    """

    desk: Desk
    underlying: str
    _market: _Seen[MarketSnapshot] | None = field(default=None, init=False)
    _account: _Seen[AccountReading] | None = field(default=None, init=False)
    _working: _Seen[tuple[Order, ...]] | None = field(default=None, init=False)

    async def market(self) -> MarketSnapshot:
        """
        Return a market that holds now.

        Raises:
            PortError: It had to be read again and could not be.
        """
        known = self._market
        if known is None or not self._is_recent(known):
            known = await self._seen(self.desk.world.market.snapshot(self.underlying))
            self._market = known
        return known.value

    async def account(self) -> AccountReading:
        """
        Return an account that holds now.

        Raises:
            PortError: It had to be read again and could not be.
        """
        known = self._account
        if known is None or not self._holds(known):
            known = await self._seen(account_now(self.desk, self.underlying))
            self._account = known
        return known.value

    async def reading(self) -> Reading:
        """
        Return a reading that holds now.

        Raises:
            PortError: It had to be read again and could not be.
        """
        snapshot, account = await self.market(), await self.account()
        known = self._working
        if known is None or not self._holds(known):
            known = await self._seen(self.desk.world.trading.open_orders(self.underlying))
            self._working = known
        ours = self.desk.keeper.book.orders
        return Reading(
            snapshot=snapshot,
            account=account.account,
            clock_skew=account.clock_skew,
            external=tuple(order for order in known.value if order.label not in ours),
        )

    async def _seen(self, reading: Awaitable[_Value]) -> _Seen[_Value]:
        at, orders = self.desk.now, self.desk.keeper.book.orders
        return _Seen(await reading, at, orders)

    def _is_recent(self, seen: _Seen[Any]) -> bool:
        return self.desk.now - seen.at <= _HOLDS_FOR

    def _holds(self, seen: _Seen[Any]) -> bool:
        # every entry about an order makes another mapping
        return self._is_recent(seen) and seen.orders is self.desk.keeper.book.orders


async def risk_state(desk: Desk, reading: Reading) -> RiskState:
    """The state risk judges now: *reading*, the book, and the controls read this moment."""
    controls = await controls_now(desk)
    return RiskState(
        now=desk.now,
        snapshot=reading.snapshot,
        account=reading.account,
        book=desk.keeper.book,
        controls=controls,
        limits=in_force(desk.params.limits, controls),
        external=reading.external,
        environment_agrees=desk.environment_agrees,
        clock_skew=reading.clock_skew,
        future_rules=desk.params.future_rules.get(reading.snapshot.underlying),
    )


async def controls_now(desk: Desk) -> RuntimeControls:
    """The controls read this moment; the kill switch of the settings cannot be overlaid."""
    controls = await desk.world.controls.read()
    if desk.params.kill_switch and not controls.kill_switch:
        return evolve(controls, kill_switch=True, kill_reason="kill_switch_enabled is set")
    return controls


async def halt(desk: Desk, reason: str) -> None:
    """Take no new risk from here on, until a person releases it; the first reason stays."""
    if not desk.keeper.book.halted:
        await desk.keeper.record(Halted(at=desk.now, reason=reason))
