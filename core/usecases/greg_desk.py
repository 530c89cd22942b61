"""Greg's desk in one process: its advice, its mode, and every change of either written down."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from attrs import define, evolve, field, frozen

from core.analysis.greg_view import AdviceTerms, PositionView, position_view
from core.context.sensor_values import SensorBundle
from core.greg.advice import Suggestion
from core.greg.entry_variants import step_held
from core.greg.hedge_needs import HedgeSight, RuleOf
from core.greg.hedge_results import HedgeHistory
from core.greg.hedging import HedgeTerms
from core.greg.holdings import Holding, holding_of
from core.greg.modes import (
    Environment,
    GateClosed,
    ModeState,
    safe,
    with_caps,
    with_flags,
    with_master,
    with_mode,
)
from core.greg.noting import Figures, suggestion_entry
from core.greg.reading import EntryReading, entry_reading
from core.greg.sizing import SizeCaps
from core.greg.suggestions import Standing, SuggestionStore
from core.greg.thresholds import EntryRules
from core.usecases.desk import Desk
from core.usecases.greg_log import GregNotes
from ports.errors import PortError, StoreUnwritable
from ports.greg_log import GregAction, GregEntry
from ports.market_data import MarketSnapshot
from ports.trading import Account


class Sensing(Protocol):
    """Who reads sensors; one that fails is unknown, never an error."""

    async def read(self, underlying: str, now: datetime) -> SensorBundle:
        """Return the sensors of *underlying* at *now*."""
        ...


@frozen(kw_only=True)
class GregDeskParams:
    """What the desk goes by besides its mode; *period* is the time between evaluations."""

    environment: Environment
    underlyings: tuple[str, ...]
    entry: EntryRules
    advice: AdviceTerms
    hedge_rule: RuleOf
    hedge_terms: HedgeTerms
    is_core_dry_run: bool = True
    refuses_unknown_flags: bool = False
    size_caps: SizeCaps = field(factory=SizeCaps)
    period: timedelta = timedelta(seconds=60)


@frozen(eq=False, kw_only=True)
class Seen:
    """One position as it was judged last: with its market and what the entry engine said."""

    holding: Holding
    snapshot: MarketSnapshot
    reading: EntryReading
    view: PositionView


@define(eq=False, kw_only=True)
class GregDesk:
    """
    The desk, as long as its process lives: the mode begins as the settings say and is not kept.

    Each value that is handed out never changes; a change of mode replaces the state as a whole.
    """

    desk: Desk
    sensors: Sensing
    params: GregDeskParams
    state: ModeState
    store: SuggestionStore = field(factory=SuggestionStore)
    hedges: HedgeHistory = field(factory=HedgeHistory)
    seen: Mapping[str, Seen] = field(factory=dict)  # by position_id
    chosen: Mapping[str, str] = field(factory=dict)  # the step that chose last, by coin
    faults: tuple[str, ...] = ()  # what could not be looked at last

    @property
    def notes(self) -> GregNotes:
        """Where events are written."""
        return GregNotes(self.desk.keeper)

    def holdings(self) -> tuple[Holding, ...]:
        """Greg's open positions, the sandbox included, oldest first."""
        held = self.desk.keeper.book.open_positions(includes_sandbox=True)
        return tuple(found for each in held if (found := holding_of(each)) is not None)

    def hedge_sight(self, snapshot: MarketSnapshot) -> HedgeSight:
        """What hedges of this moment are worked out from."""
        return HedgeSight(
            held=self.holdings(),
            snapshot=snapshot,
            rule_of=self.params.hedge_rule,
            terms=self.params.hedge_terms,
            now=self.desk.now,
        )

    async def evaluate(self) -> Standing:
        """
        Judge every open position on a fresh market, let the advice stand, and note its changes.

        A coin whose market does not answer has no advice meanwhile, and an account that does not
        is of unknown health; *faults* say why.

        Raises:
            StoreUnwritable: The journal failed.
        """
        held, seen, faults = self.holdings(), dict[str, Seen](), list[str]()
        for coin in sorted({each.underlying for each in held}):
            try:
                snapshot = await self.desk.world.market.snapshot(coin)
            except PortError as error:
                faults.append(f"{coin}: {error}")
                continue
            bundle = await self.sensors.read(coin, self.desk.now)
            reading = entry_reading(bundle, self.params.entry, self._chosen_at(coin, held))
            self.chosen = {**self.chosen, coin: reading.selection.step_name}
            account = await self._account(coin, faults)
            for holding in held:
                if holding.underlying == coin:
                    found = self._judged(holding, snapshot, reading, account)
                    seen.update({} if found is None else {holding.position_id: found})
        self.seen, self.faults = seen, tuple(faults)
        advice = sorted((each.view.suggestion for each in seen.values()), key=_urgency)
        self.store.replace(advice, self.desk.now)
        for each in seen.values():
            await self.notes.suggested(self.entry_of(each))
        return self.store.standing()

    async def _account(self, coin: str, faults: list[str]) -> Account | None:
        """The account in *coin* where a guard in use looks at it; None, and why, if it is away."""
        if not self.params.advice.asks_health:
            return None
        try:
            return await self.desk.world.trading.account(coin)
        except PortError as error:
            faults.append(f"account in {coin}: {error}")
            return None

    def _chosen_at(self, coin: str, held: tuple[Holding, ...]) -> str:
        """The step that chose last for *coin*; at first that of what is held."""
        ours = (each.code for each in held if each.underlying == coin and not each.sandbox)
        return self.chosen.get(coin) or step_held(ours)

    def entry_of(self, seen: Seen) -> GregEntry:
        """The suggestion of *seen* as a line of the log."""
        view = seen.view
        figures = Figures(
            pnl_pct=None if view.pnl_pct is None else view.pnl_pct / 100.0,
            pnl_usd=view.pnl_usd,
            net_delta=view.net_delta,
            spot_price=seen.snapshot.index_usd,
        )
        return suggestion_entry(
            view.suggestion, self.desk.now, self.state.mode, figures, seen.reading
        )

    async def dismiss(self, position_id: str) -> GregEntry:
        """
        Write down that a person will not follow what was last advised for *position_id*.

        Raises:
            LookupError: Nothing is advised for it.

            StoreUnwritable: The journal failed.
        """
        seen = self.seen.get(position_id)
        if seen is None:
            raise LookupError(f"nothing is advised for {position_id}")
        entry = self.entry_of(seen)
        entry = evolve(entry, extra_info={**entry.extra_info, "dismissed": entry.action_type})
        await self.notes.dismissed(entry)
        return entry

    def _judged(
        self,
        holding: Holding,
        snapshot: MarketSnapshot,
        reading: EntryReading,
        account: Account | None,
    ) -> Seen | None:
        view = position_view(
            holding,
            snapshot,
            evolve(self.params.advice, mode=self.state.mode),
            selected=reading.selection.strategy,
            funding=reading.bundle.sensors.predicted_funding_rate,
            market=reading.bundle.market,
            account=account,
        )
        if view is None:
            return None
        return Seen(holding=holding, snapshot=snapshot, reading=reading, view=view)

    async def set_mode(self, mode: str, *, confirmation: str = "", reason: str = "") -> ModeState:
        """
        Go into *mode*; live needs mainnet and the confirmation.

        Raises:
            GateClosed: It may not be; that is written down too.

            StoreUnwritable: The journal failed, and everything is closed.
        """
        changes = {"mode": mode[:40], "previous": str(self.state.mode), "reason": reason}
        try:
            changed = with_mode(
                self.state,
                mode,
                self.desk.now,
                environment=self.params.environment,
                confirmation=confirmation,
                reason=reason,
            )
        except GateClosed as refusal:
            await self._refused(GregAction.MODE_SWITCH, refusal, changes)
            raise
        return await self._change(changed, GregAction.MODE_SWITCH, changes)

    async def set_master(self, *, enable_live: bool) -> ModeState:
        """Set the master switch of live execution; raises StoreUnwritable as set_mode."""
        changed = with_master(self.state, enable_live=enable_live)
        changes = {"enable_live_execution": enable_live, "previous": self.state.enable_live}
        return await self._change(changed, GregAction.LIVE_SWITCH_TOGGLE, changes)

    async def set_flags(self, flags: Mapping[str, bool]) -> ModeState:
        """Set *flags* of strategies by their codes; raises as set_mode."""
        changes = {"flags": {str(code)[:50]: bool(is_on) for code, is_on in flags.items()}}
        try:
            changed = with_flags(
                self.state, flags, refuses_unknown=self.params.refuses_unknown_flags
            )
        except GateClosed as refusal:
            await self._refused(GregAction.STRATEGY_FLAGS_UPDATE, refusal, changes)
            raise
        return await self._change(changed, GregAction.STRATEGY_FLAGS_UPDATE, changes)

    async def set_caps(
        self, per_position_usd: float | None = None, per_underlying_usd: float | None = None
    ) -> ModeState:
        """Set the notional caps, None leaves one as it is; raises as set_mode."""
        changes = {"per_position": f"{per_position_usd}", "per_underlying": f"{per_underlying_usd}"}
        try:
            changed = with_caps(self.state, per_position_usd, per_underlying_usd)
        except GateClosed as refusal:
            await self._refused(GregAction.NOTIONAL_LIMITS_UPDATE, refusal, changes)
            raise
        return await self._change(changed, GregAction.NOTIONAL_LIMITS_UPDATE, changes)

    async def _change(
        self, changed: ModeState, action: GregAction, changes: dict[str, Any]
    ) -> ModeState:
        self.state = changed
        try:
            await self.notes.changed(self.desk.now, action, changed.mode, changed.reason, changes)
        except StoreUnwritable:
            self.state = safe(changed)
            raise
        return changed

    async def _refused(
        self, action: GregAction, refusal: GateClosed, changes: dict[str, Any]
    ) -> None:
        now, mode = self.desk.now, self.state.mode
        await self.notes.changed(now, action, mode, str(refusal), changes, refused=True)


def _urgency(suggestion: Suggestion) -> int:
    return suggestion.priority.rank
