"""`options-agent greg dismiss`: a person will not follow a suggestion, and says so."""

import asyncio
from typing import Annotated

import typer
from attrs import frozen

from apps.cli.book_view import end
from apps.cli.console import show_json, show_text, tell
from apps.cli.desk_work import at_desk
from apps.cli.exits import ExitCode
from apps.cli.greg_options import first_line, or_misuse
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.book import place_of
from apps.wiring.greg_desk import greg_desk_params, opened_greg_desk
from apps.wiring.greg_log import copy_decisions
from apps.wiring.greg_rules import GregRules, greg_rules
from core.usecases.agent import put_down, recover
from core.usecases.desk import Desk
from ports.greg_log import GregEntry

_REASON = "a suggestion of Greg's was dismissed by hand"


def command(
    position_id: Annotated[
        str, typer.Argument(metavar="POSITION_ID", help="As `greg positions` shows it.")
    ],
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Note in the decision log that what is advised for a position will not be followed.

    The agent must not be running. The advice is given anew first; 1 if there is none.
    """
    settings = settings_from(config, overrides, venue).settings
    rules = greg_rules(settings)
    or_misuse(lambda: greg_desk_params(settings, rules))
    work = _Work(settings, rules, position_id)
    try:
        entry = asyncio.run(at_desk(settings, place_of(settings), work.at))
    except LookupError as error:
        end(f"{error.args[0]}", ExitCode.FAILED)
    behind = asyncio.run(copy_decisions(settings, place_of(settings)))
    if behind:
        tell(f"warning: {behind}")
    if as_json:
        show_json({"ok": True, "position_id": position_id, "dismissed": entry.action_type})
        return
    show_text(first_line(settings))
    show_text(f"{entry.action_type} {position_id}: dismissed")


@frozen(eq=False)
class _Work:
    """One dismissal at a desk that is opened for it."""

    settings: Settings
    rules: GregRules
    position_id: str

    async def at(self, desk: Desk) -> GregEntry:
        await recover(desk)
        try:
            async with opened_greg_desk(self.settings, self.rules, desk) as greg:
                await greg.evaluate()
                return await greg.dismiss(self.position_id)
        finally:
            await put_down(desk, _REASON)
