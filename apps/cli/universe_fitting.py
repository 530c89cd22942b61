"""The fit of one coin's invented market, and what is told of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve

from apps.cli.book_view import end
from apps.cli.console import tell
from apps.cli.exits import ExitCode
from apps.wiring.universe import inputs_sha256
from core.analysis.universe_moments import RegimesFound, started
from core.analysis.universe_series import MarketHistory
from core.analysis.universe_targets import targets_of
from core.rng import rng_at
from core.simulation.universe.params import Provenance
from core.usecases.fit_universe import FitParams, FitResult, fitted
from ports.checks import from_epoch_ms
from ports.sweeps import SweepExecutor

_NO_INSTANT = datetime(2025, 12, 31, tzinfo=UTC)  # a fit is of a history, whenever it is made


async def fitted_coin(
    history: MarketHistory,
    files: Sequence[Path],
    states: int | None,
    params: FitParams,
    executor: SweepExecutor,
) -> tuple[RegimesFound, FitResult]:
    """
    Return the regimes of *history* and the market fitted to it, with where it comes from.

    A history that is too short ends the command, FAILED.

    Raises:
        Unavailable: Nothing is left that computes, or a path cannot be computed.
    """
    rng = rng_at(params.seed, "universe/fit", _NO_INSTANT)
    try:
        start, found = started(history, states, rng)
    except ValueError as error:
        end(f"{history.underlying}: {error}", ExitCode.FAILED)
    tell(f"{history.underlying}: {found.model.n_clusters} regimes")
    result = await fitted(start, targets_of(history), params, executor, _told)
    tell(f"done, miss {result.misses[-1]:.2f}")
    origin = Provenance(
        first_day=f"{from_epoch_ms(int(history.closed_at_ms[0])):%Y-%m-%d}",
        last_day=f"{from_epoch_ms(int(history.closed_at_ms[-1])):%Y-%m-%d}",
        hours=len(history.closed_at_ms),
        vol_index_first_day=f"{from_epoch_ms(int(history.index_at_ms[0])):%Y-%m-%d}",
        vol_index_last_day=f"{from_epoch_ms(int(history.index_at_ms[-1])):%Y-%m-%d}",
        vol_index_days=len(history.index_at_ms),
        smile_days=0 if history.smiles is None else len(history.smiles.at_ms),
        inputs_sha256=inputs_sha256(files),
        seed=params.seed,
        rounds=len(result.misses) - 1,
        miss=result.misses[-1],
    )
    return found, evolve(result, coin=evolve(result.coin, provenance=origin))


def fit_lines(found: RegimesFound, result: FitResult) -> list[str]:
    """Return what a person should know of the fit."""
    lines = ["states  BIC  agreement of halves"]
    lines += [
        f"{each.model.states:6}  {each.bic:.0f}  {each.agreement:.2f}"
        f"{'' if each.is_stable else '  not stable'}"
        for each in found.tried
    ]
    lines.append("regime  RV  IV  days  spot-vol  share")
    lines += [
        f"{each.name}  {each.mu_rv_30d:.1f}  {each.mu_iv_30d:.1f}  {each.dwell_days:.0f}  "
        f"{each.spot_vol_correlation:+.2f}  {each.weight or 0.0:.2f}"
        for each in found.model.regimes
    ]
    lines.append("misses by round: " + ", ".join(f"{miss:.2f}" for miss in result.misses))
    return lines


def _told(round_: int, miss: float) -> None:
    tell(f"round {round_}, miss {miss:.2f}")
