"""What the agent does, told line by line while it does it."""

from collections.abc import Iterable

from rich.table import Table

from apps.cli.console import show_table, show_text, table
from core.selectors.filters import SENTENCES
from ports.decision_log import (
    Action,
    ActionType,
    Alarm,
    Candidate,
    Decided,
    Delivered,
    Denied,
    Entry,
    Halted,
    HealthChanged,
    OrderUpdated,
    Skipped,
    Verdict,
)
from ports.greg_journal import GregNoted

_SHOWN = 5  # candidates in the table of one decision


class Teller:
    """
    Prints entries as they are written. The first decision on each coin comes with every
    contract passed over; later ones with counts, unless *in_full*. *quiet* leaves out decisions
    that change nothing.
    """

    def __init__(self, *, in_full: bool = False, quiet: bool = False) -> None:
        self._in_full = in_full
        self._quiet = quiet
        self._told: set[tuple[str, str]] = set()

    def tell(self, entry: Entry) -> None:
        """Print *entry* if it is one that a person wants to see."""
        if isinstance(entry, Decided):
            self._decision(entry)
        elif (line := line_of(entry)) is not None:
            show_text(f"{entry.at:%Y-%m-%d %H:%M:%S}  {line}")

    def _decision(self, entry: Decided) -> None:
        if self._quiet and not any(_acts(action) for action in entry.actions):
            return
        key = (entry.strategy_id, entry.underlying)
        in_full = not self._quiet and (self._in_full or key not in self._told)
        self._told.add(key)
        show_text(
            f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.underlying} {entry.index_usd:,.2f} USD  "
            f"{entry.strategy_id}  regime {entry.context.regime}  RV30 {_vol(entry)}"
        )
        for action, verdict in zip(entry.actions, entry.verdicts, strict=True):
            show_text(f"  {action_line(action, verdict)}")
        if entry.candidates and not self._quiet:
            show_table(_candidates(entry.candidates[:_SHOWN]))
        if not self._quiet:
            for line in skip_lines(entry.skipped, in_full=in_full):
                show_text(f"  {line}")


def line_of(entry: Entry) -> str | None:
    """One line for *entry*; None for entries that only serve the journal."""
    if isinstance(entry, OrderUpdated):
        fills = ", ".join(
            f"{fill.side} {fill.amount:g} {fill.contract.symbol} at {fill.price:g}, "
            f"fee {fill.fee_coin:.6f}"
            for fill in entry.fills
        )
        return f"order {entry.label}: {entry.state} {fills} {entry.reason}".rstrip()
    if isinstance(entry, Denied):
        return f"order {entry.intent.label} stopped: {_reasons(Verdict(entry.breaches))}"
    if isinstance(entry, Delivered):
        delivery = entry.delivery
        return (
            f"delivered {delivery.size:+g} {delivery.contract.symbol} at "
            f"{delivery.delivery_price_usd:,.2f} ({delivery.price_source}): "
            f"{delivery.cash_coin:+.6f} {delivery.contract.underlying}"
        )
    if isinstance(entry, Halted):
        return f"HALTED: {entry.reason}"
    if isinstance(entry, HealthChanged):
        pause = ", new risk is paused" if entry.is_pausing else ""
        return f"health {entry.state}{pause}: {entry.cause}"
    if isinstance(entry, Alarm):
        return f"ALARM {entry.subject}: {entry.detail}"
    if isinstance(entry, GregNoted) and entry.entry.is_scheduled:
        told = entry.entry
        return f"greg {told.action_type.lower()} of {told.position_id}: {told.reason}"
    return None


def action_line(action: Action, verdict: Verdict) -> str:
    """What a strategy wants, why, and what risk says of it."""
    wanted = f"{action.type} ({action.reason}) {action.detail}"
    if action.choice is not None and action.choice.epsilon > 0.0:
        wanted += f", drawn with probability {action.choice.propensity:.2f}"
    return wanted if verdict.approved else f"{wanted}; refused: {_reasons(verdict)}"


def skip_lines(skipped: Iterable[Skipped], *, in_full: bool) -> list[str]:
    """Why each contract was passed over: named *in_full*, counted otherwise."""
    lines = []
    for each in skipped:
        sentence = SENTENCES.get(each.code, each.code)
        names = f": {' '.join(each.symbols)}" if in_full else ""
        lines.append(f"skipped {len(each.symbols)} [{each.code}] {sentence}{names}")
    return lines


def _acts(action: Action) -> bool:
    return action.type is not ActionType.DO_NOTHING


def _reasons(verdict: Verdict) -> str:
    return "; ".join(f"[{each.control} {each.code}] {each.detail}" for each in verdict.breaches)


def _vol(entry: Decided) -> str:
    rv = entry.context.realized_vol_30d or entry.context.realized_vol_7d
    return f"{100 * rv:.1f} %" if rv else "not known yet"


def _candidates(candidates: tuple[Candidate, ...]) -> Table:
    numbers = ("DTE", "delta", "bid", "ask", "premium USD", "IV %", "IV/RV", "spread %", "OI")
    made = table("candidate", *numbers, "score", numbers=(*numbers, "score"))
    for each in candidates:
        made.add_row(
            each.contract.symbol,
            f"{each.dte:.1f}",
            f"{each.delta:.2f}",
            f"{each.bid:.4f}",
            f"{each.ask:.4f}",
            f"{each.premium_usd:.0f}",
            f"{100 * each.iv:.1f}",
            f"{each.ivrv:.2f}",
            f"{each.spread_pct:.1f}",
            f"{each.open_interest:.0f}",
            f"{each.score:.3f}",
        )
    return made
