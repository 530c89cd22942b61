"""Trading modes of Greg, and the gates between a suggestion and an order, each with its refusal."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen

from core.greg.advice import Advice
from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.words import beside
from ports.checks import positive

CONFIRMATION = "LIVE"
STRATEGIES = tuple(code for code in CATALOGUE if code != StrategyCode.NO_TRADE)
_REDUCING = frozenset({Advice.CLOSE, Advice.TAKE_PROFIT, Advice.HEDGE})
_ACTIONS = frozenset(each.value for each in Advice) - {Advice.HOLD.value}


class Mode(StrEnum):
    """How far a suggestion may go."""

    ADVICE_ONLY = "advice_only"
    PAPER = "paper"
    LIVE = "live"


class Environment(StrEnum):
    """Which venue the process is connected to."""

    TESTNET = "testnet"
    MAINNET = "mainnet"


@frozen(kw_only=True)
class Caps:
    """The most notional of live positions, USD: of one, and of a coin's together."""

    per_position_usd: float = field(default=500.0, validator=positive)
    per_underlying_usd: float = field(default=2000.0, validator=positive)


@frozen(kw_only=True)
class ModeState:
    """What the gates are set to; made from settings at the start and never persisted."""

    mode: Mode = Mode.ADVICE_ONLY
    enable_live: bool = False
    strategies: frozenset[StrategyCode] = frozenset()  # those that may trade live
    caps: Caps = Caps()
    most: Caps = Caps()  # of the settings: no call raises a cap above them
    caps_spare_reductions: bool = False  # whether closings and hedges pass whatever their size
    changed_at: datetime | None = None
    reason: str = ""


class GateClosed(Exception):
    """A change or an execution that is not allowed; the text says by which gate."""

    def __init__(self, gate: str, text: str, *, requires_confirmation: bool = False) -> None:
        super().__init__(text)
        self.gate = gate
        self.requires_confirmation = requires_confirmation


def with_mode(
    state: ModeState,
    mode: str,
    at: datetime,
    *,
    environment: Environment,
    confirmation: str = "",
    reason: str = "",
) -> ModeState:
    """
    Return *state* in *mode*; live needs mainnet and the confirmation, and opens nothing else.

    Raises:
        GateClosed: It is no mode, it is not confirmed, or this is not mainnet.
    """
    if mode not in set(Mode):
        raise GateClosed("mode", f"unknown mode {mode!r}: one of {', '.join(Mode)}")
    if Mode(mode) == Mode.LIVE:
        if confirmation != CONFIRMATION:
            raise GateClosed(
                "confirmation",
                f"live needs the confirmation text {CONFIRMATION}",
                requires_confirmation=True,
            )
        if environment != Environment.MAINNET:
            raise GateClosed("environment", "live needs mainnet")
    return evolve(state, mode=Mode(mode), changed_at=at, reason=reason)


def with_master(state: ModeState, *, enable_live: bool) -> ModeState:
    """Return *state* with the master switch of live execution set."""
    return evolve(state, enable_live=enable_live is True)


def with_flags(
    state: ModeState, flags: Mapping[str, bool], *, refuses_unknown: bool = False
) -> ModeState:
    """
    Return *state* with the *flags* of strategies by their codes.

    A code that is no strategy is passed over, or with *refuses_unknown* nothing is changed.

    Raises:
        GateClosed: A code is no strategy, and that is to be refused.
    """
    unknown = [code for code in flags if code not in STRATEGIES]
    if unknown and refuses_unknown:
        raise GateClosed("strategy", f"unknown strategies: {', '.join(unknown)}")
    known = {StrategyCode(code): is_on for code, is_on in flags.items() if code in STRATEGIES}
    on = {code for code, is_on in known.items() if is_on is True}  # no word opens a gate
    return evolve(state, strategies=(state.strategies | on) - (known.keys() - on))


def with_caps(
    state: ModeState,
    per_position_usd: float | None = None,
    per_underlying_usd: float | None = None,
) -> ModeState:
    """
    Return *state* with other caps; None leaves one as it is.

    Raises:
        GateClosed: Not positive, one position above a coin's, or above the settings.
    """
    position = state.caps.per_position_usd if per_position_usd is None else per_position_usd
    coin = state.caps.per_underlying_usd if per_underlying_usd is None else per_underlying_usd
    if not (0.0 < position <= coin):
        raise GateClosed(
            "caps", f"0 < {position:g} per position <= {coin:g} per coin does not hold"
        )
    if position > state.most.per_position_usd or coin > state.most.per_underlying_usd:
        raise GateClosed("caps", "above the settings: change them and start again")
    caps = Caps(per_position_usd=position, per_underlying_usd=coin)
    return evolve(state, caps=caps)


def safe(state: ModeState) -> ModeState:
    """Return *state* with everything closed; the caps are those of the settings again."""
    return ModeState(caps=state.most, most=state.most)


@frozen(kw_only=True)
class Execution:
    """A suggestion that somebody wants carried out, with all that the gates look at."""

    action: str
    strategy: str
    underlying: str
    environment: Environment
    allowed_underlyings: tuple[str, ...]
    notional_usd: float | None  # of the position, by a fresh index; None is unknown
    exposure_usd: float | None  # of the coin's live positions before
    is_core_dry_run: bool
    is_killed: bool
    is_healthy: bool
    is_current: bool  # the position is there, and this is what is advised for it now
    is_sandbox: bool  # or a demonstration
    is_synthetic: bool  # its sensors are
    is_safety_degraded: bool = False  # of an opening: the safety filter could not speak
    is_risk_approved: bool = True


@frozen(kw_only=True)
class Asked:
    """What is known of an execution before anything was looked at."""

    strategy: str
    underlying: str
    environment: Environment
    allowed_underlyings: tuple[str, ...]


@frozen
class Passed:
    """Every gate is open; a dry run sends nothing."""

    dry_run: bool


def may_execute(state: ModeState, wanted: Execution) -> Passed:
    """
    Return how *wanted* may be carried out, by one look at *state*.

    Raises:
        GateClosed: The first gate that is closed, in the order of the specification.
    """
    check_first_gates(state, wanted)
    is_live = state.mode == Mode.LIVE
    _check_surroundings(wanted, is_live=is_live)
    if is_live:
        _check_caps(state, wanted)
        if wanted.is_core_dry_run:
            raise GateClosed("core_dry_run", "the agent itself still runs dry")
    if wanted.action not in _ACTIONS:
        raise GateClosed("action", f"{wanted.action!r} cannot be executed")
    if not wanted.is_risk_approved:
        raise GateClosed("risk", "the risk engine does not approve")
    return Passed(dry_run=not is_live)


def check_first_gates(state: ModeState, wanted: "Execution | Asked") -> None:
    """
    Look at the gates that need no market: mode, environment, switches, and the list of coins.

    Raises:
        GateClosed: The first one that is closed.
    """
    _check_mode(state, wanted)
    if wanted.underlying not in wanted.allowed_underlyings:
        raise GateClosed("underlying", f"{wanted.underlying} is not on the list of coins")


def _check_mode(state: ModeState, wanted: "Execution | Asked") -> None:
    """Mode, environment, master switch and strategy flag."""
    if state.mode == Mode.ADVICE_ONLY:
        raise GateClosed("mode", "advice only: nothing is executed")
    if state.mode == Mode.PAPER:
        if wanted.environment != Environment.TESTNET:
            raise GateClosed("environment", "paper needs testnet")
        return
    if wanted.environment != Environment.MAINNET:
        raise GateClosed("environment", "live needs mainnet")
    if not state.enable_live:
        raise GateClosed("master", "the master switch of live execution is off")
    if wanted.strategy not in state.strategies:
        raise GateClosed("strategy", f"{wanted.strategy} is not enabled for live execution")


def _check_surroundings(wanted: Execution, *, is_live: bool) -> None:
    """Kill switch, health, the position and its sensors."""
    if wanted.is_killed:
        raise GateClosed("kill_switch", "the kill switch is on")
    if not wanted.is_healthy:
        raise GateClosed("health", "the health guard has paused new risk")
    if not wanted.is_current:
        raise GateClosed("suggestion", "it is not what is advised for the position now")
    if is_live and wanted.is_sandbox:
        raise GateClosed("sandbox", "a sandbox or demonstration position never trades live")
    if wanted.is_synthetic:
        raise GateClosed("synthetic", "its sensors are synthetic")
    if wanted.is_safety_degraded:
        raise GateClosed("safety", "a sensor of the safety filter is unknown")


def _check_caps(state: ModeState, wanted: Execution) -> None:
    """Notional by a fresh index; equality is allowed."""
    if state.caps_spare_reductions and wanted.action in _REDUCING:
        return
    caps = state.caps
    notional, exposure = wanted.notional_usd, wanted.exposure_usd
    if notional is None or exposure is None:
        raise GateClosed("caps", "notional is unknown: there is no fresh index")
    if not notional <= caps.per_position_usd:
        told = beside(notional, caps.per_position_usd, 0)
        raise GateClosed("caps", f"{told} USD is above {caps.per_position_usd:.0f} per position")
    if not exposure + notional <= caps.per_underlying_usd:
        told = beside(exposure + notional, caps.per_underlying_usd, 0)
        raise GateClosed("caps", f"{told} USD is above {caps.per_underlying_usd:.0f} per coin")
