"""Sell calls against coin held: the rule policy."""

import numpy as np
from attrs import evolve, field, frozen

from core.policy.explore import ExploreParams, choose
from core.risk.exposure import coin_lots
from core.rng import rng_at
from core.selectors.features import features_of
from core.selectors.filters import SENTENCES, FilterParams, in_force, sift
from core.selectors.score import SCORES, ScoreParams
from core.strategies.base import Proposal
from core.strategies.upkeep import UpkeepParams, held_call, upkeep
from core.view import TickView
from ports.decision_log import Action, ActionType, Candidate, Skipped


@frozen(kw_only=True)
class CoveredCallParams:
    """How covered calls are chosen and kept; *order_size* in contracts, by underlying."""

    underlyings: tuple[str, ...]
    order_size: dict[str, float]
    filters: FilterParams
    score: str = field(default="carry")
    targets: ScoreParams = field(factory=ScoreParams)
    explore: ExploreParams = field(factory=ExploreParams)
    upkeep: UpkeepParams = field(factory=UpkeepParams)
    max_calls: int = 1
    policy_version: str = "rb_v1_explore"

    @score.validator
    def _is_a_score(self, _: object, value: str) -> None:
        if value not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, was {value!r}")


@frozen
class CoveredCall:
    """
    First every call held is looked after; then, if the coin has room, the best candidate that
    passes every filter is sold.
    """

    strategy_id: str
    params: CoveredCallParams

    @property
    def policy_version(self) -> str:
        """Which rules these are."""
        return self.params.policy_version

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it trades."""
        return self.params.underlyings

    def propose(self, view: TickView) -> Proposal:
        """Actions for each call held, and an opening or the reason for none."""
        candidates, skipped = self.candidates(view)
        rng = rng_at(view.seed, f"{self.strategy_id}/{view.underlying}", view.due_at)
        kept = self.kept(view, candidates, rng)
        targets = {action.contract for action in kept}
        free = tuple(each for each in candidates if each.contract not in targets)
        opening = self._opening(view, free, rng)
        chosen = {action.contract for action in (*kept, opening) if action.contract}
        code = "not_best" if opening.contract else opening.reason
        passed_over = tuple(
            each.contract.symbol for each in candidates if each.contract not in chosen
        )
        if passed_over:
            skipped = (*skipped, Skipped(code, passed_over))
        return Proposal(actions=(*kept, opening), candidates=candidates, skipped=skipped)

    def candidates(self, view: TickView) -> tuple[tuple[Candidate, ...], tuple[Skipped, ...]]:
        """Every call that passes, best first, and the others by reason."""
        params, context = self.params, view.context
        rv = context.realized_vol_30d or context.realized_vol_7d
        calls = features_of(view.snapshot, rv)
        passing, skipped = sift(calls, in_force(params.filters, view.controls))
        score = SCORES[params.score](calls, params.targets, context, view.snapshot.rules)
        scored = passing & np.isfinite(score)
        rows = np.flatnonzero(scored)
        best_first = rows[np.argsort(-score[rows], kind="stable")]
        found = tuple(calls.candidate(int(row), float(score[row])) for row in best_first)
        held = {leg.contract for position in view.positions for leg in position.open_legs}
        open_now = tuple(each.contract.symbol for each in found if each.contract in held)
        if open_now:
            skipped = (*skipped, Skipped("already_open", open_now))
        unscored = np.flatnonzero(passing & ~scored)
        if len(unscored):
            symbols = tuple(calls.calls.contract(int(row)).symbol for row in unscored)
            skipped = (*skipped, Skipped("no_score", symbols))
        return tuple(each for each in found if each.contract not in held), skipped

    def kept(
        self, view: TickView, candidates: tuple[Candidate, ...], rng: np.random.Generator
    ) -> tuple[Action, ...]:
        """One action per call held that has no order working and no roll under way."""
        busy = {record.intent.position_id for record in view.working}
        busy |= {roll.position_id for roll in view.rolls}
        params = evolve(self.params.upkeep, explore=self.explore(view))
        actions: list[Action] = []
        for position in view.positions:
            for leg in position.open_legs:
                if position.position_id in busy or leg.size > 0:
                    continue
                call = held_call(position, leg, view)
                action = upkeep(call, candidates, view, params, rng)
                actions.append(action)
                candidates = tuple(each for each in candidates if each.contract != action.contract)
        return tuple(actions)

    def _opening(
        self, view: TickView, candidates: tuple[Candidate, ...], rng: np.random.Generator
    ) -> Action:
        if view.working or view.rolls:
            return self._nothing(view, "order_working")
        if sum(len(position.open_legs) for position in view.positions) >= self.params.max_calls:
            return self._nothing(view, "position_open")
        if not candidates:
            return self._nothing(view, "no_candidate", "no call passes every filter")
        amount = self._amount(view)
        if amount <= 0.0:
            return self._nothing(view, "too_small")
        choice = choose(len(candidates), self.explore(view), rng)
        best = candidates[choice.rank]
        contract = best.contract
        return Action(
            type=ActionType.OPEN_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason="explore" if choice.explored else "best",
            detail=(
                f"{contract.symbol}: delta {best.delta:.2f}, {best.dte:.1f} days, premium "
                f"{best.premium_usd:.0f} USD, IV/RV {best.ivrv:.2f}, score {best.score:.3f}"
            ),
            amount=amount,
            position_id=(f"{self.strategy_id}-{contract.symbol}-{view.now:%Y%m%dT%H%M%S%f}"),
            contract=contract,
            choice=choice,
        )

    def _amount(self, view: TickView) -> float:
        """The order size, clamped down to the coin not yet written against; 0 below the minimum."""
        rules = view.snapshot.rules
        lots = min(self.order_lots(view), self.free_lots(view))
        return rules.amount(lots) if lots >= rules.lots_up(rules.min_amount) else 0.0

    def order_lots(self, view: TickView) -> int:
        """The lots of one order."""
        return view.snapshot.rules.lots_down(self.params.order_size.get(view.underlying, 0.0))

    def free_lots(self, view: TickView) -> int:
        """The lots that the coin not yet written against covers."""
        rules = view.snapshot.rules
        short = sum(
            rules.lots_up(-held.size)
            for held in view.account.positions
            if held.contract.is_call and held.size < 0
        )
        return coin_lots(view.account, rules) - short

    def explore(self, view: TickView) -> ExploreParams:
        """How choices explore, with what a person has set while running."""
        epsilon = view.controls.explore_prob
        return (
            self.params.explore
            if epsilon is None
            else ExploreParams(epsilon, self.params.explore.top_k)
        )

    def _nothing(self, view: TickView, reason: str, detail: str = "") -> Action:
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=detail or SENTENCES[reason],
        )
