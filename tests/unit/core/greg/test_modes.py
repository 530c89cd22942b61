"""Modes and gates: each gate alone, their order, and random sequences against a plain model."""

import random
from typing import Any

import pytest
from attrs import evolve, frozen

from core.greg.catalogue import StrategyCode
from core.greg.modes import (
    CONFIRMATION,
    STRATEGIES,
    Caps,
    Environment,
    Execution,
    GateClosed,
    Mode,
    ModeState,
    may_execute,
    safe,
    with_caps,
    with_flags,
    with_master,
    with_mode,
)
from tests.support.markets import NOW

MAIN, TEST = Environment.MAINNET, Environment.TESTNET
OPEN = ModeState(mode=Mode.LIVE, enable_live=True, strategies=frozenset(STRATEGIES))
LIVE = Execution(
    action="CLOSE",
    strategy="STRATEGY_A_STRADDLE",
    underlying="BTC",
    environment=MAIN,
    allowed_underlyings=("BTC", "ETH"),
    notional_usd=500.0,
    exposure_usd=1500.0,
    is_core_dry_run=False,
    is_killed=False,
    is_healthy=True,
    is_current=True,
    is_sandbox=False,
    is_synthetic=False,
)
# gate, the state and the wish that close it and nothing else
CLOSED = (
    ("mode", evolve(OPEN, mode=Mode.ADVICE_ONLY), LIVE),
    ("environment", OPEN, evolve(LIVE, environment=TEST)),
    ("environment", evolve(OPEN, mode=Mode.PAPER), LIVE),
    ("master", evolve(OPEN, enable_live=False), LIVE),
    ("strategy", evolve(OPEN, strategies=frozenset()), LIVE),
    ("strategy", OPEN, evolve(LIVE, strategy="STRATEGY_E")),
    ("underlying", OPEN, evolve(LIVE, underlying="SOL")),
    ("kill_switch", OPEN, evolve(LIVE, is_killed=True)),
    ("health", OPEN, evolve(LIVE, is_healthy=False)),
    ("suggestion", OPEN, evolve(LIVE, is_current=False)),
    ("sandbox", OPEN, evolve(LIVE, is_sandbox=True)),
    ("synthetic", OPEN, evolve(LIVE, is_synthetic=True)),
    ("safety", OPEN, evolve(LIVE, is_safety_degraded=True)),
    ("caps", OPEN, evolve(LIVE, notional_usd=500.01)),
    ("caps", OPEN, evolve(LIVE, exposure_usd=1500.01)),
    ("caps", OPEN, evolve(LIVE, notional_usd=None)),
    ("caps", OPEN, evolve(LIVE, exposure_usd=None)),
    ("caps", OPEN, evolve(LIVE, notional_usd=float("nan"))),
    ("core_dry_run", OPEN, evolve(LIVE, is_core_dry_run=True)),
    ("action", OPEN, evolve(LIVE, action="HOLD")),
    ("action", OPEN, evolve(LIVE, action="OPEN")),
    ("risk", OPEN, evolve(LIVE, is_risk_approved=False)),
)


def test_every_gate_open_is_an_order() -> None:
    """At the caps exactly, by each action that there is."""
    for action in ("HEDGE", "TAKE_PROFIT", "CLOSE", "ASSIGN", "ROLL"):
        assert not may_execute(OPEN, evolve(LIVE, action=action)).dry_run


@pytest.mark.parametrize(("gate", "state", "wanted"), CLOSED)
def test_one_closed_gate_is_enough(gate: str, state: ModeState, wanted: Execution) -> None:
    """Each with its own refusal."""
    with pytest.raises(GateClosed) as refusal:
        may_execute(state, wanted)
    assert refusal.value.gate == gate


def test_paper_is_always_dry() -> None:
    """On testnet, whatever switches, flags and caps say; even for the sandbox."""
    paper = ModeState(mode=Mode.PAPER)
    wish = evolve(LIVE, environment=TEST, notional_usd=None, is_core_dry_run=True, is_sandbox=True)
    assert may_execute(paper, wish).dry_run


def test_reductions_may_be_spared_the_caps() -> None:
    """A setting: closings and hedges then pass whatever their size, rolls never do."""
    spared = evolve(OPEN, caps_spare_reductions=True)
    big = evolve(LIVE, notional_usd=1e6)
    assert not may_execute(spared, big).dry_run
    with pytest.raises(GateClosed):
        may_execute(spared, evolve(big, action="ROLL"))


@pytest.mark.parametrize("text", ["", "live", "Live", "LIVE ", "YES"])
def test_live_must_be_confirmed_to_the_letter(text: str) -> None:
    """And says that it must."""
    with pytest.raises(GateClosed) as refusal:
        with_mode(ModeState(), "live", NOW, environment=MAIN, confirmation=text)
    assert refusal.value.requires_confirmation


def test_going_live_opens_nothing_else() -> None:
    """The master switch and the flags stay as they were."""
    live = with_mode(ModeState(), "live", NOW, environment=MAIN, confirmation=CONFIRMATION)
    assert (live.mode, live.enable_live, live.strategies) == (Mode.LIVE, False, frozenset())
    assert live.changed_at == NOW
    with pytest.raises(GateClosed, match="mainnet"):
        with_mode(ModeState(), "live", NOW, environment=TEST, confirmation=CONFIRMATION)
    with pytest.raises(GateClosed, match="unknown mode"):
        with_mode(ModeState(), "LIVE", NOW, environment=MAIN, confirmation=CONFIRMATION)


def test_flags_of_unknown_strategies_are_passed_over() -> None:
    """The known ones of a call are set; a setting refuses the whole call instead."""
    told = {"STRATEGY_A_STRADDLE": False, "STRATEGY_E": True, "NO_TRADE": True}
    changed = with_flags(OPEN, told)
    assert StrategyCode.STRADDLE not in changed.strategies
    assert len(changed.strategies) == 6
    with pytest.raises(GateClosed, match="STRATEGY_E, NO_TRADE"):
        with_flags(OPEN, told, refuses_unknown=True)


def test_switches_leave_the_time_of_the_mode_alone() -> None:
    """Time and reason are those of the last change of mode; closing forgets everything."""
    live = with_mode(
        ModeState(), "live", NOW, environment=MAIN, confirmation=CONFIRMATION, reason="trial"
    )
    moved = with_caps(with_flags(with_master(live, enable_live=True), {"X": True}), 100.0)
    assert (moved.changed_at, moved.reason) == (NOW, "trial")
    assert safe(moved) == ModeState()


@pytest.mark.parametrize(
    ("position", "coin"),
    [
        (0.0, None),
        (-1.0, None),
        (float("nan"), None),
        (None, 400.0),
        (500.01, None),
        (None, 2001.0),
    ],
)
def test_caps_stay_within_the_settings(position: float | None, coin: float | None) -> None:
    """Positive, one position within a coin's, and never above what the process began with."""
    with pytest.raises(GateClosed) as refusal:
        with_caps(ModeState(), position, coin)
    assert refusal.value.gate == "caps"
    for told, kept in (((100.0, None), 2000.0), ((300.0, 300.0), 300.0), ((500.0, 2000.0), 2000.0)):
        caps = Caps(per_position_usd=told[0], per_underlying_usd=kept)
        assert with_caps(ModeState(), *told).caps == caps


@frozen
class Call:
    """One call of a sequence, by its name and argument."""

    name: str
    value: Any


def drawn(chance: random.Random) -> Call:
    """A call that somebody might make."""
    name = chance.choice(["mode", "master", "flags", "caps", "execute", "execute"])
    if name == "mode":
        modes = ["advice_only", "paper", "live", "LIVE"]
        return Call(name, (chance.choice(modes), chance.choice(["LIVE", "live", ""])))
    if name == "master":
        return Call(name, chance.random() < 0.7)
    if name == "flags":
        codes = [*STRATEGIES, "STRATEGY_E"]
        return Call(name, {str(chance.choice(codes)): chance.random() < 0.7})
    if name == "caps":
        return Call(name, chance.choice([(100.0, 300.0), (500.0, 2000.0), (600.0, 900.0)]))
    return Call(
        name,
        evolve(
            LIVE,
            strategy=str(chance.choice(STRATEGIES)),
            action=chance.choice(["CLOSE", "HEDGE", "ROLL", "HOLD"]),
            underlying=chance.choice(["BTC", "ETH", "SOL"]),
            notional_usd=chance.choice([50.0, 300.0, 500.0, 501.0]),
            exposure_usd=chance.choice([0.0, 1500.0]),
            is_core_dry_run=chance.random() < 0.2,
            is_killed=chance.random() < 0.2,
            is_current=chance.random() < 0.9,
        ),
    )


class Model:
    """The gates as a list of plain facts that must all hold."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.mode, self.master = "advice_only", False
        self.flags: dict[str, bool] = {}
        self.caps = (500.0, 2000.0)

    def change(self, call: Call) -> None:
        """Take *call* as the specification has it."""
        if call.name == "mode":
            mode, text = call.value
            is_live_allowed = text == "LIVE" and self.environment == "mainnet"
            if mode in ("advice_only", "paper") or (mode == "live" and is_live_allowed):
                self.mode = mode
        elif call.name == "master":
            self.master = bool(call.value)
        elif call.name == "flags":
            self.flags |= {k: v for k, v in call.value.items() if k != "STRATEGY_E"}
        elif call.name == "caps" and call.value != (600.0, 900.0):
            self.caps = call.value

    def sends(self, wish: Execution) -> bool:
        """Whether an order may leave for *wish*."""
        return (
            self.mode == "live"
            and self.environment == "mainnet"
            and self.master
            and self.flags.get(wish.strategy, False)
            and wish.underlying in ("BTC", "ETH")
            and (wish.notional_usd or 0) <= self.caps[0]
            and (wish.exposure_usd or 0) + (wish.notional_usd or 0) <= self.caps[1]
            and not wish.is_core_dry_run
            and not wish.is_killed
            and wish.is_current
            and wish.action != "HOLD"
        )


def applied(state: ModeState, call: Call, environment: Environment) -> ModeState:
    """*state* after *call*; as it was where that is refused."""
    try:
        if call.name == "mode":
            mode, text = call.value
            return with_mode(state, mode, NOW, environment=environment, confirmation=text)
        if call.name == "master":
            return with_master(state, enable_live=bool(call.value))
        if call.name == "flags":
            return with_flags(state, call.value)
        return with_caps(state, *call.value)
    except GateClosed:
        return state


def test_no_sequence_of_calls_opens_a_closed_gate() -> None:
    """10,000 random sequences: an order leaves where the model says, and nowhere else."""
    sent = 0
    for seed in range(10_000):
        chance = random.Random(seed)
        environment = chance.choice([MAIN, MAIN, TEST])
        state, model = ModeState(), Model(environment)
        if chance.random() < 0.7:  # most begin nearly armed, or hardly any would ever send
            state = evolve(OPEN, mode=Mode.LIVE if environment is MAIN else Mode.PAPER)
            model.mode, model.master = str(state.mode), True
            model.flags = {str(code): True for code in STRATEGIES}
        for _ in range(8):
            call = drawn(chance)
            if call.name != "execute":
                state = applied(state, call, environment)
                model.change(call)
                continue
            wish = evolve(call.value, environment=environment)
            try:
                is_order = not may_execute(state, wish).dry_run
            except GateClosed:
                is_order = False
            assert is_order == model.sends(wish), seed
            sent += is_order
    assert sent > 1000


def test_modes_may_be_plain_words() -> None:
    """A mode read from outside closes the same gate as the one of ours."""
    for word, gate in (("advice_only", "mode"), ("paper", "environment")):
        with pytest.raises(GateClosed) as refusal:
            may_execute(evolve(OPEN, mode=word), LIVE)
        assert refusal.value.gate == gate
    assert may_execute(evolve(OPEN, mode="paper"), evolve(LIVE, environment="testnet")).dry_run
    assert not may_execute(OPEN, evolve(LIVE, environment="mainnet")).dry_run
