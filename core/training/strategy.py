"""Training on a market: several profiles sell at once, so that every kind of call is seen end."""

from collections import Counter

import numpy as np
from attrs import evolve, frozen

from core.rng import rng_at
from core.strategies.base import Proposal
from core.strategies.covered_call import CoveredCall
from core.training.profiles import (
    Pick,
    Pool,
    Room,
    TrainingParams,
    draw,
    picks_of,
    pools_of,
    propensities,
)
from core.view import TickView
from ports.decision_log import Action, ActionType, Candidate, Skipped


@frozen
class TrainingCalls:
    """
    Calls held are kept as *calls* keeps them; what is opened is what the profiles of *training*
    take of its candidates, whose filters must span their bands.
    """

    strategy_id: str
    calls: CoveredCall
    training: TrainingParams

    @property
    def policy_version(self) -> str:
        """Which rules these are; data of training are told from others by it."""
        return f"{self.calls.policy_version}_training"

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it trades."""
        return self.calls.underlyings

    def propose(self, view: TickView) -> Proposal:
        """Actions for each call held, and an opening for each call that a profile takes."""
        candidates, skipped = self.calls.candidates(view)
        rng = rng_at(view.seed, f"{self.strategy_id}/{view.underlying}", view.due_at)
        kept = self.calls.kept(view, candidates, rng)
        targets = {action.contract for action in kept}
        free = tuple(each for each in candidates if each.contract not in targets)
        openings = self._openings(view, free, rng)
        taken = {action.contract for action in (*kept, *openings)}
        passed_over = tuple(
            each.contract.symbol for each in candidates if each.contract not in taken
        )
        if passed_over:
            skipped = (*skipped, Skipped("not_best", passed_over))
        return Proposal(actions=(*kept, *openings), candidates=candidates, skipped=skipped)

    def _openings(
        self, view: TickView, candidates: tuple[Candidate, ...], rng: np.random.Generator
    ) -> tuple[Action, ...]:
        """At least one action: what is sold, or why nothing is."""
        if view.working or view.rolls:
            return (self._nothing(view, "order_working", "an order on this coin is still working"),)
        room = self._room(view)
        if room.slots <= 0:
            return (self._nothing(view, "position_open", "the coin has all the calls it may have"),)
        training = evolve(self.training, explore=self.calls.explore(view))
        pools = pools_of(candidates, training)
        picks = picks_of(candidates, pools, draw(pools, training, rng), room, training)
        if not picks:
            return (self._nothing(view, "no_candidate", "no profile has a call to take"),)
        opened = self._sold(view, candidates, _weighed(picks, candidates, pools, room, training))
        detail = "the coin held does not cover the smallest order"
        return opened or (self._nothing(view, "too_small", detail),)

    def _room(self, view: TickView) -> Room:
        """What is left of the caps: every short call of the account counts."""
        short = [
            held.contract
            for held in view.account.positions
            if held.contract.is_call and held.size < 0
        ]
        days = Counter(contract.expiry.date().isoformat() for contract in short)
        return Room(slots=self.training.max_per_coin - len(short), taken=days)

    def _sold(
        self, view: TickView, candidates: tuple[Candidate, ...], picks: tuple[Pick, ...]
    ) -> tuple[Action, ...]:
        """The openings of *picks* in order, as long as there is coin that covers them."""
        rules, left = view.snapshot.rules, self.calls.free_lots(view)
        opened = []
        for pick in picks:
            lots = min(self.calls.order_lots(view), left)
            if lots < rules.lots_up(rules.min_amount):
                break
            opened.append(self._opening(view, candidates[pick.number], pick, rules.amount(lots)))
            left -= lots
        return tuple(opened)

    def _opening(self, view: TickView, candidate: Candidate, pick: Pick, amount: float) -> Action:
        contract = candidate.contract
        return Action(
            type=ActionType.OPEN_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=f"training_{pick.profile}",
            detail=(
                f"{contract.symbol}: delta {candidate.delta:.2f}, {candidate.dte:.1f} days, "
                f"premium {candidate.premium_usd:.0f} USD, IV/RV {candidate.ivrv:.2f}"
            ),
            amount=amount,
            position_id=f"{self.strategy_id}-{contract.symbol}-{view.now:%Y%m%dT%H%M%S%f}",
            contract=contract,
            choice=pick.choice,
        )

    def _nothing(self, view: TickView, reason: str, detail: str) -> Action:
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=detail,
        )


def _weighed(
    picks: tuple[Pick, ...],
    candidates: tuple[Candidate, ...],
    pools: tuple[Pool, ...],
    room: Room,
    params: TrainingParams,
) -> tuple[Pick, ...]:
    """*picks* with the probability that each call is taken at all, however its pool is entered."""
    chances = propensities(candidates, pools, room, params)
    return tuple(
        evolve(pick, choice=evolve(pick.choice, propensity=float(chances[pick.number])))
        for pick in picks
    )
