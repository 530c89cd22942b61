"""`options-agent close`: a position bought back."""

import asyncio
import sys
from typing import Annotated

import typer
from attrs import field, frozen

from apps.cli import figures
from apps.cli.book_view import BookFolder, end, heading, heading_record, own_place
from apps.cli.console import mode_line, problem, show_json, show_text, tell
from apps.cli.desk_work import at_desk
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.book import BookPlace
from core.usecases.agent import put_down, recover
from core.usecases.closing import ClosingOutcome, ClosingPlan, close_position, plan_closing
from core.usecases.desk import Desk
from core.usecases.tick import mark
from ports.decision_log import Breach, Denied, Entry
from ports.instruments import OptionContract
from ports.positions import Book, TrackedPosition

_REASON, _REFUSED = "closed by hand", "closing was not confirmed"


@frozen
class _Target:
    """One held leg that is to be bought back."""

    position: TrackedPosition
    contract: OptionContract


def command(
    name: Annotated[
        str, typer.Argument(metavar="POSITION_ID|SYMBOL", help="As `positions` shows them.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Buy a short position back at the price the market asks, after a question.

    The agent must not be running. The order is judged, written down and labelled like those of
    the agent; 4 if a control refuses it.
    """
    if not yes and not sys.stdin.isatty():
        end("closing is confirmed on a terminal or with --yes", ExitCode.MISUSE)
    settings = settings_from(config, overrides, venue).settings
    closing = _Closing(settings, own_place(settings, book), name, is_sure=yes, as_json=as_json)
    outcomes = asyncio.run(at_desk(settings, closing.place, closing.work, closing.watch))
    _show(closing, outcomes)
    if any(each.order is None for each in outcomes):
        raise typer.Exit(ExitCode.REFUSED)


@frozen(eq=False)
class _Closing:
    """One closing by hand; *denied* fills with what the last check says no to."""

    settings: Settings
    place: BookPlace
    name: str
    is_sure: bool
    as_json: bool
    denied: list[Breach] = field(factory=list)

    def watch(self, entry: Entry) -> None:
        if isinstance(entry, Denied):
            self.denied.extend(entry.breaches)

    async def work(self, desk: Desk) -> list[ClosingOutcome]:
        targets = _targets(desk.keeper.book, self.name)
        await recover(desk)
        plans = [await plan_closing(desk, each.position, each.contract) for each in targets]
        show = tell if self.as_json else show_text
        for line in (heading(self.settings, self.place), *(_plan_line(plan) for plan in plans)):
            show(line)
        may_be_sent = all(plan.verdict.approved for plan in plans)
        if may_be_sent and not self.is_sure and not _is_confirmed(mode_line(self.settings)):
            await put_down(desk, _REFUSED)
            raise typer.Exit(ExitCode.INTERRUPTED)
        outcomes = [await close_position(desk, plan) for plan in plans]
        for underlying in {plan.action.underlying for plan in plans}:
            await mark(desk, underlying)
        await put_down(desk, _REASON)
        return outcomes


def _show(closing: _Closing, outcomes: list[ClosingOutcome]) -> None:
    refused = [breach for each in outcomes for breach in each.plan.verdict.breaches]
    refused += closing.denied
    if closing.as_json:
        show_json(
            {
                **heading_record(closing.settings, closing.place),
                "orders": [_record(each) for each in outcomes],
                "refused": [
                    {"control": each.control, "code": each.code, "detail": each.detail}
                    for each in refused
                ],
            }
        )
    else:
        for each in outcomes:
            show_text(_outcome_line(each))
    for breach in refused:
        problem(f"[{breach.control} {breach.code}] {breach.detail}")


def _targets(book: Book, name: str) -> list[_Target]:
    """The short legs that *name* stands for; ends with MISUSE unless they are of one position."""
    named = [
        _Target(position, leg.contract)
        for position in book.open_positions()
        for leg in position.open_legs
        if name in (position.position_id, leg.contract.symbol)
    ]
    if not named:
        end(f"no open position is {name}; see options-agent positions", ExitCode.MISUSE)
    ids = sorted({each.position.position_id for each in named})
    if len(ids) > 1:
        end(f"{name} is held by several positions, name one: {', '.join(ids)}", ExitCode.MISUSE)
    for leg in named[0].position.open_legs:
        if leg.size > 0:
            end(f"{leg.contract.symbol} is long: only short options are bought", ExitCode.MISUSE)
    return named


def _plan_line(plan: ClosingPlan) -> str:
    action, intent = plan.action, plan.intent
    symbol = action.from_contract.symbol if action.from_contract else ""
    if intent is None:
        return f"buy {action.amount:g} {symbol}: there is no price"
    cost_coin = intent.amount * intent.price
    return (
        f"buy {intent.amount:g} {symbol} at {figures.price(intent.price)}, reduce only: "
        f"costs {cost_coin:.6f} {action.underlying} or {cost_coin * plan.index_usd:,.2f} USD, "
        f"notional {intent.amount * plan.index_usd:,.2f} USD"
    )


def _is_confirmed(mode: str) -> bool:
    if typer.confirm(f"send it ({mode})?", err=True):
        return True
    problem("nothing was sent")
    return False


def _outcome_line(outcome: ClosingOutcome) -> str:
    order = outcome.order
    if order is None:
        return "nothing was sent"
    line = f"order {order.intent.label}: {order.state}, {order.booked_amount:g} bought"
    if order.state.is_working:
        return f"{line}; it works until the agent runs again"
    return f"{line} {order.reason}".rstrip()


def _record(outcome: ClosingOutcome) -> dict[str, object]:
    intent, order = outcome.plan.intent, outcome.order
    return {
        "position_id": outcome.plan.position.position_id,
        "symbol": intent.contract.symbol if intent else None,
        "amount": intent.amount if intent else None,
        "price": intent.price if intent else None,
        "index_usd": outcome.plan.index_usd,
        "label": order.intent.label if order else None,
        "state": order.state if order else None,
        "bought": order.booked_amount if order else 0.0,
        "reason": order.reason if order else "stopped by a control",
    }
