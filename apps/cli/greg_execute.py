"""`options-agent greg execute`: have a suggestion carried out, as far as every gate lets it."""

import asyncio
import sys
from typing import Annotated

import typer
from attrs import frozen

from apps.cli.book_view import end
from apps.cli.console import problem, show_json, show_text, tell
from apps.cli.desk_work import at_desk
from apps.cli.exits import ExitCode
from apps.cli.greg_options import first_line, or_misuse
from apps.cli.left_out import tell_passed_over
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.book import place_of
from apps.wiring.greg_desk import greg_desk_params, opened_greg_desk
from apps.wiring.greg_log import copy_decisions
from apps.wiring.greg_records import outcome_record
from apps.wiring.greg_rules import GregRules, greg_rules
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
from core.greg.holdings import code_in
from core.greg.modes import CONFIRMATION, Mode
from core.usecases.agent import put_down, recover
from core.usecases.desk import Desk
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_execute import GregExecutor
from ports.greg_log import NO_POSITION

_REASON = "a suggestion of Greg's was executed by hand"


def command(
    position_id: Annotated[
        str, typer.Argument(metavar="POSITION_ID", help="As `greg positions` shows it.")
    ],
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="What is advised: HEDGE, CLOSE, ...")
    ],
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar=CONFIRMATION, help="In live, not to be asked."),
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Carry a suggestion out: a dry run in mode paper, orders in mode live, nothing otherwise.

    The agent must not be running. The advice is given anew first, every gate is asked, and what
    comes of it is in `greg log`; 4 if a gate refuses.
    """
    settings = settings_from(config, overrides, venue).settings
    rules = greg_rules(settings)
    or_misuse(lambda: greg_desk_params(settings, rules))
    _confirm(settings, position_id, action, confirm)
    work = _Work(settings, rules, position_id, action)
    tell_passed_over(settings)
    outcome = asyncio.run(at_desk(settings, place_of(settings), work.at))
    behind = asyncio.run(copy_decisions(settings, place_of(settings)))
    if behind:
        tell(f"warning: {behind}")
    if as_json:
        show_json(outcome_record(outcome))
    else:
        show_text(first_line(settings))
        show_text(f"{outcome.request.action} {position_id}: {outcome.status}; {outcome.note}")
    if outcome.status is ExecutionStatus.REFUSED:
        problem(f"[{outcome.gate}] {outcome.note}")
        raise typer.Exit(ExitCode.REFUSED)
    if outcome.status in (ExecutionStatus.FAILED, ExecutionStatus.PARTIAL):
        raise typer.Exit(ExitCode.FAILED)


def _confirm(settings: Settings, position_id: str, action: str, given: str | None) -> None:
    """In live a person types the word, or gives it with the command."""
    if Mode(settings.greg.greg_trading_mode) is not Mode.LIVE:
        return
    if given is None and not sys.stdin.isatty():
        end(f"live needs --confirm {CONFIRMATION}", ExitCode.MISUSE)
    asked = given
    if asked is None:
        question = f"{action} {position_id} in mode live: type {CONFIRMATION} to send orders"
        asked = typer.prompt(question, err=True, default="", show_default=False)
    if asked != CONFIRMATION:
        end(f"live needs the confirmation text {CONFIRMATION}", ExitCode.REFUSED)


@frozen(eq=False)
class _Work:
    """One execution at a desk that is opened for it."""

    settings: Settings
    rules: GregRules
    position_id: str
    action: str

    async def at(self, desk: Desk) -> ExecutionOutcome:
        await recover(desk)
        async with opened_greg_desk(self.settings, self.rules, desk) as greg:
            await greg.evaluate()
            for fault in greg.faults:
                tell(f"warning: {fault}")
            outcome = await GregExecutor(greg).execute(self._request(greg))
        await put_down(desk, _REASON)
        return outcome

    def _request(self, greg: GregDesk) -> ExecutionRequest:
        """What is asked for; of a position that nobody knows, what its name says."""
        name, seen = self.position_id, greg.seen.get(self.position_id)
        coins = (coin for coin in greg.params.underlyings if coin in name)
        return ExecutionRequest(
            position_id=name,
            action=self.action,
            strategy=str(code_in(name) or NO_POSITION if seen is None else seen.holding.code),
            underlying=next(coins, NO_POSITION) if seen is None else seen.holding.underlying,
        )
