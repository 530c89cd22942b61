"""`options-agent greg rules`: entry rules and risk as they stand, and a person's overrides."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer
from attrs import asdict, evolve

from apps.cli.console import problem, show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.greg_options import figure, first_line
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.greg_risk import bot_fields, found_overrides, global_fields
from apps.wiring.greg_rules import greg_rules, save_overrides
from core.greg.catalogue import BOT_ID
from core.greg.environment import (
    EnvMode,
    OverridesRefused,
    RuleOverrides,
    ThresholdView,
    threshold_views,
    with_entry_overrides,
)
from core.greg.risk_overrides import RiskScope, risk_in, risk_views, with_risk_overrides

app = command_group("Entry rules and risk, with what a person has put over them in test.")


class Scope(StrEnum):
    """Which block of overrides."""

    ENTRY = "entry"
    GLOBAL = "global"
    BOT = "bot"


WhichScope: TypeAlias = Annotated[Scope, typer.Argument(metavar="entry|global|bot")]
Env: TypeAlias = Annotated[
    EnvMode | None, typer.Option("--env", help="The view of test or live; default: settings.")
]


@app.command("show")
def showing(
    env: Env = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Every limit with its default and what is in force."""
    settings = settings_from(config, overrides, venue).settings
    _show(settings, env, as_json)


@app.command("set")
def setting(
    scope: WhichScope,
    values: Annotated[list[str] | None, typer.Argument(metavar="[KEY=NUMBER]...")] = None,
    use: Annotated[
        bool | None, typer.Option("--use/--no-use", help="Whether overrides of the block count.")
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Put numbers over those of a block, key by key; 2 and nothing is saved if one is wrong.

    Overrides are of test: in live nothing is saved. Risk can only be made tighter.
    """
    settings = settings_from(config, overrides, venue).settings
    mode, found = EnvMode(settings.venue.env_mode), found_overrides(settings)
    if found.warning:
        tell(f"warning: {found.warning}")
    told = {key: _number(text) for key, text in map(_pair, values or ())}
    try:
        changed = _changed(settings, found.overrides, scope, told, mode, use)
    except OverridesRefused as refusal:
        for fault in refusal.faults:
            problem(fault)
        is_live = mode is EnvMode.LIVE
        raise typer.Exit(ExitCode.REFUSED if is_live else ExitCode.MISUSE) from refusal
    save_overrides(settings.venue.data_dir, changed)
    _show(settings, None, as_json)


@app.command("reset")
def resetting(
    scope: WhichScope,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Forget the overrides of a block, and turn its switch off."""
    settings = settings_from(config, overrides, venue).settings
    if EnvMode(settings.venue.env_mode) is EnvMode.LIVE:
        problem("live is read only: overrides are of test")
        raise typer.Exit(ExitCode.REFUSED)
    save_overrides(settings.venue.data_dir, _without(found_overrides(settings).overrides, scope))
    _show(settings, None, as_json)


def _changed(
    settings: Settings,
    found: RuleOverrides,
    scope: Scope,
    told: dict[str, object],
    mode: EnvMode,
    use: bool | None,
) -> RuleOverrides:
    if scope is Scope.ENTRY:
        return with_entry_overrides(found, told, mode=mode, is_used=use)
    is_global = scope is Scope.GLOBAL
    return with_risk_overrides(
        found,
        RiskScope.GLOBAL if is_global else RiskScope.BOT,
        told,
        fields=global_fields(settings) if is_global else bot_fields(settings),
        mode=mode,
        is_used=use,
    )


def _without(found: RuleOverrides, scope: Scope) -> RuleOverrides:
    if scope is Scope.GLOBAL:
        return evolve(found, global_risk={}, use_global_risk_overrides=False)
    if scope is Scope.BOT:
        rest = {bot: values for bot, values in found.bot_risk.items() if bot != BOT_ID}
        return evolve(found, bot_risk=rest, use_bot_risk_overrides=False)
    rest = {bot: values for bot, values in found.entry_rules.items() if bot != BOT_ID}
    return evolve(found, entry_rules=rest, use_entry_rule_overrides=False)


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def _number(text: str) -> object:
    """The number in *text*; what is none stays as it was typed, to be refused by name."""
    try:
        return float(text)
    except ValueError:
        return text


def _show(settings: Settings, env: EnvMode | None, as_json: bool) -> None:
    rules, found = greg_rules(settings, env), found_overrides(settings, env)
    told = found.overrides
    blocks = {
        "entry_rules": threshold_views(rules.shipped.thresholds, rules.entry.thresholds),
        "global_risk": risk_views(global_fields(settings), risk_in(told, RiskScope.GLOBAL)),
        "bot_risk": risk_views(bot_fields(settings), risk_in(told, RiskScope.BOT)),
    }
    used = {
        "entry_rules": told.use_entry_rule_overrides,
        "global_risk": told.use_global_risk_overrides,
        "bot_risk": told.use_bot_risk_overrides,
    }
    if rules.warning:
        tell(f"warning: {rules.warning}")
    if as_json:
        shown: dict[str, object] = {
            name: {
                "rules" if name == "entry_rules" else "fields": [asdict(each) for each in views],
                "use_overrides": used[name],
            }
            for name, views in blocks.items()
        }
        show_json({"ok": True, "env_mode": str(rules.mode), "bot_id": BOT_ID, **shown})
        return
    show_text(first_line(settings, f"rules {rules.entry.version} {rules.mode}"))
    for name, views in blocks.items():
        _show_block(name, views, used[name])


def _show_block(name: str, views: Sequence[ThresholdView], is_used: bool) -> None:
    title = f"{name.replace('_', ' ')} (overrides {'on' if is_used else 'off'})"
    numbers = ("default", "in force")
    made = table(title, *numbers, "unit", numbers=numbers, whole=(title,))
    for each in views:
        made.add_row(each.key, figure(each.default_value), figure(each.current_value), each.unit)
    show_table(made)
