"""Several calls at once by training profile: what data is collected with, and presets ladder."""

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np
from attrs import field, frozen

from core.backtest.exits import exit_reason
from core.backtest.rules import CallRule, deltas_of, held_figures, realised_vol_of
from core.risk.exposure import coin_lots
from core.strategies.base import Proposal
from core.view import TickView
from ports.chain import ChainTable
from ports.checks import epoch_ms, positive
from ports.columns import Bools, Floats
from ports.decision_log import Action, ActionType
from ports.instruments import OptionContract
from ports.positions import Leg, TrackedPosition

_AT_ONCE = 3  # openings in one tick: the venue's throttle takes five requests


@frozen(kw_only=True)
class Profile:
    """A band of deltas, its lower end included and its upper one not, and the delta aimed at."""

    name: str
    target_delta: float
    delta_min: float
    delta_max: float


PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        Profile(name="conservative", target_delta=0.20, delta_min=0.10, delta_max=0.25),
        Profile(name="moderate", target_delta=0.30, delta_min=0.25, delta_max=0.35),
        Profile(name="aggressive", target_delta=0.40, delta_min=0.35, delta_max=0.50),
    )
}


class LadderMode(StrEnum):
    """How many calls a profile holds."""

    SINGLE = "single"  # one, nearest to its target
    LADDER = "ladder"  # several, the highest premiums of its band


@frozen(kw_only=True)
class LadderParams:
    """How many calls are held in all, by expiry and by profile; profiles in order of turn."""

    profiles: tuple[Profile, ...]
    mode: LadderMode = LadderMode.LADDER
    max_calls: int = 6
    max_per_expiry: int = 3
    max_per_profile: int = 2
    call_size: float = field(validator=positive)  # contracts

    @property
    def legs(self) -> int:
        """Calls that one profile may hold."""
        return 1 if self.mode is LadderMode.SINGLE else self.max_per_profile


@frozen
class LadderedCalls:
    """
    A Strategy of profiles: each in its turn sells calls of its band, within *rule*'s days,
    premium and volatility, until its legs, the expiry's or the coin's are used up.

    Every call is a position of its own and ends as *rule* says; one that would be rolled is
    bought back, and its profile may sell anew. No contract is held twice.
    """

    strategy_id: str
    rule: CallRule
    params: LadderParams
    coins: tuple[str, ...]

    @property
    def policy_version(self) -> str:
        """Which rules these are."""
        return "call_ladder_v1"

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it trades."""
        return self.coins

    def propose(self, view: TickView) -> Proposal:
        """What ends, and what each profile sells."""
        if view.working or view.rolls:
            return _proposal(self._nothing(view, "order_working"))
        held = [(position, leg) for position in view.positions for leg in position.open_legs]
        closing = [each for each in (self._closed(view, *pair) for pair in held) if each]
        if closing:  # what it frees is sold against once it is gone
            return _proposal(*closing)
        opening = tuple(self._opened(view, [leg.contract for _, leg in held]))
        return _proposal(*(opening or (self._nothing(view, "hold"),)))

    def _closed(self, view: TickView, position: TrackedPosition, leg: Leg) -> Action | None:
        reason = exit_reason(self.rule.exits, held_figures(view, position, leg))
        if reason is None:
            return None
        return Action(
            type=ActionType.CLOSE_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=leg.contract.symbol,
            amount=-leg.size,
            position_id=position.position_id,
            from_contract=leg.contract,
        )

    def _opened(self, view: TickView, held: list[OptionContract]) -> Iterator[Action]:
        params, rules = self.params, view.snapshot.rules
        lots = rules.lots_down(params.call_size)
        short = sum(rules.lots_up(-each.size) for each in view.account.positions if each.size < 0)
        slots = min(params.max_calls - len(held), (coin_lots(view.account, rules) - short) // lots)
        slots = min(slots, _AT_ONCE)
        taken = set(held)
        expiries = Counter(contract.expiry for contract in held)
        for profile in params.profiles:
            mark = f"-{profile.name}-"
            legs = params.legs - sum(mark in each.position_id for each in view.positions)
            for contract in self._candidates(view, profile):
                if slots <= 0 or legs <= 0:
                    break
                if contract in taken or expiries[contract.expiry] >= params.max_per_expiry:
                    continue
                taken.add(contract)
                expiries[contract.expiry] += 1
                slots, legs = slots - 1, legs - 1
                yield self._sale(view, profile, contract, rules.amount(lots))

    def _sale(
        self, view: TickView, profile: Profile, contract: OptionContract, amount: float
    ) -> Action:
        symbol, instant = contract.symbol, f"{view.now:%Y%m%dT%H%M%S%f}"
        return Action(
            type=ActionType.OPEN_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=profile.name,
            detail=f"{symbol}: {profile.name}",
            amount=amount,
            position_id=f"{self.strategy_id}-{profile.name}-{symbol}-{instant}",
            contract=contract,
        )

    def _candidates(self, view: TickView, profile: Profile) -> Iterator[OptionContract]:
        """The calls of the profile's band, best first."""
        snapshot = view.snapshot
        calls = snapshot.chain.where(snapshot.chain.is_call)
        deltas = deltas_of(calls, snapshot)
        is_inside = self._fits(view, calls) & (deltas >= profile.delta_min)
        rows = np.flatnonzero(is_inside & (deltas < profile.delta_max))
        if self.params.mode is LadderMode.SINGLE:
            badness: Floats = np.abs(deltas[rows] - profile.target_delta)
        else:
            badness = -calls.bid[rows]
        for row in rows[np.argsort(badness, kind="stable")]:
            yield calls.contract(int(row))

    def _fits(self, view: TickView, calls: ChainTable) -> Bools:
        """Whether days, premium and volatility are as the rule wants, (n,)."""
        rule, snapshot = self.rule, view.snapshot
        dte = (calls.expiry_ms - epoch_ms(snapshot.taken_at)) / 86_400_000
        fits = (dte >= rule.dte_min) & (dte <= rule.dte_max) & (calls.bid > 0)
        fits &= calls.bid * snapshot.index_usd >= rule.premium_min_usd
        if rule.ivrv_min > 0:
            fits &= calls.mark_iv >= rule.ivrv_min * realised_vol_of(view.context)
        return np.asarray(fits)

    def _nothing(self, view: TickView, reason: str) -> Action:
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail="",
        )


def _proposal(*actions: Action) -> Proposal:
    return Proposal(actions=actions, candidates=(), skipped=())
