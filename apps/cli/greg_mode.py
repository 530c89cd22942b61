"""`options-agent greg mode`: how far a suggestion may go, and which gates stand in its way."""

from attrs import frozen

from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_options import first_line
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.greg_params import greg_environment, mode_state
from apps.wiring.greg_records import mode_record
from apps.wiring.greg_risk import tightened_mode
from core.greg.catalogue import CATALOGUE
from core.greg.modes import STRATEGIES, Environment, Mode, ModeState


def command(
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The mode, switches and caps that a process begins with, and what each of them closes.

    A running process is changed through itself; nothing of it is kept when it ends.
    """
    settings = settings_from(config, overrides, venue).settings
    state = tightened_mode(settings, mode_state(settings))
    if as_json:
        show_json({"ok": True, **mode_record(settings, state)})
        return
    show_text(first_line(settings))
    made = table("gate", "is", "so", whole=("gate", "is"))
    for gate in _gates(settings, state):
        made.add_row(gate.name, gate.stands, gate.meaning)
    show_table(made)
    flags = table("strategy", "live", whole=("strategy",))
    for code in STRATEGIES:
        flags.add_row(CATALOGUE[code].label, "on" if code in state.strategies else "off")
    show_table(flags)
    show_text(
        "note: the least lots of coin options, 0.1 BTC and 1 ETH, are above a cap of "
        f"{state.caps.per_position_usd:g} USD: under it only hedges in the perpetual fit"
    )


@frozen
class _Gate:
    """One gate: how it stands, and what that means."""

    name: str
    stands: str
    meaning: str


def _gates(settings: Settings, state: ModeState) -> tuple[_Gate, ...]:
    caps, environment = state.caps, greg_environment(settings)
    wanted = {Mode.PAPER: Environment.TESTNET, Mode.LIVE: Environment.MAINNET}.get(state.mode)
    fits = wanted is None or wanted is environment
    return (
        _Gate("mode", state.mode, _MEANINGS[state.mode]),
        _Gate(
            "environment",
            environment,
            "as the mode needs" if fits else f"{state.mode} needs {wanted}",
        ),
        _Gate(
            "master switch",
            "on" if state.enable_live else "off",
            "live orders may pass" if state.enable_live else "nothing passes in live",
        ),
        _Gate("cap a position", f"{caps.per_position_usd:g} USD", "live only, equality passes"),
        _Gate("cap a coin", f"{caps.per_underlying_usd:g} USD", "live only, equality passes"),
    )


_MEANINGS = {
    Mode.ADVICE_ONLY: "nothing is executed",
    Mode.PAPER: "executions are dry runs, on testnet",
    Mode.LIVE: "orders may go out, if every gate opens",
}
