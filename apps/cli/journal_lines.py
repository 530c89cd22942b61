"""Entries of the journal, one line each."""

from functools import singledispatch

from apps.cli import figures
from apps.cli.decisions import action_line, line_of
from ports.decision_log import (
    Closed,
    ControlsSeen,
    Decided,
    Entry,
    Executed,
    Healed,
    Marked,
    Opened,
    Reconciled,
    Record,
    RollEnded,
    RollStarted,
    Sent,
    Ticked,
)
from ports.greg_journal import GregNoted, SandboxClosed, SandboxOpened


def journal_line(record: Record) -> str:
    """Number, instant, kind and content of *record*."""
    entry = record.entry
    kind = type(entry).__name__
    return f"{record.seq:>7}  {figures.instant(entry.at)}  {kind:<12}  {content(entry)}".rstrip()


def labels_of(entry: Entry) -> set[str]:
    """The labels of orders that *entry* is about."""
    label, intent = getattr(entry, "label", None), getattr(entry, "intent", None)
    found = {*getattr(entry, "labels", ()), label, intent.label if intent else None}
    return {each for each in found if each}


@singledispatch
def content(entry: Entry) -> str:
    """What *entry* says, in words."""
    return line_of(entry) or ""


@content.register
def _opened(entry: Opened) -> str:
    strategies = ", ".join(entry.strategies)
    return (
        f"{entry.environment}, version {entry.program_version}, seed {entry.seed}, "
        f"settings {entry.settings_hash}, {strategies}"
    )


@content.register
def _controls(entry: ControlsSeen) -> str:
    controls = entry.controls
    switch = f"kill switch ON: {controls.kill_reason}" if controls.kill_switch else "no kill"
    return f"revision {controls.revision}, released {controls.releases} times, {switch}"


@content.register
def _decided(entry: Decided) -> str:
    pairs = zip(entry.actions, entry.verdicts, strict=True)
    actions = "; ".join(action_line(action, verdict) for action, verdict in pairs)
    return f"{entry.strategy_id} {entry.underlying} {figures.index(entry.index_usd)} USD: {actions}"


@content.register
def _sent(entry: Sent) -> str:
    intent = entry.intent
    return (
        f"{intent.side} {intent.amount:g} {intent.contract.symbol} "
        f"at {figures.price(intent.price)}, label {intent.label}"
    )


@content.register
def _executed(entry: Executed) -> str:
    words = (entry.strategy_id, entry.underlying, entry.status, *entry.labels, *entry.errors)
    return " ".join(words)


@content.register
def _marked(entry: Marked) -> str:
    marks = ", ".join(f"{each.contract.symbol} {each.mark_coin:.6f}" for each in entry.marks)
    return (
        f"{entry.underlying} {figures.index(entry.index_usd)} USD, "
        f"equity {entry.equity_coin:.6f}; {marks or 'nothing held'}"
    )


@content.register
def _ticked(entry: Ticked) -> str:
    return f"due {figures.instant(entry.due_at)}"


@content.register
def _reconciled(entry: Reconciled) -> str:
    return f"{entry.underlying} {'; '.join(entry.differences) or 'clean'}"


@content.register
def _healed(entry: Healed) -> str:
    held = ", ".join(f"{each.contract.symbol} {each.size:+g}" for each in entry.positions)
    return f"{entry.underlying} as the venue: {held or 'nothing held'}"


@content.register
def _roll_started(entry: RollStarted) -> str:
    return (
        f"{entry.from_contract.symbol} to {entry.contract.symbol}, {entry.amount:g}, "
        f"position {entry.position_id}"
    )


@content.register
def _roll_ended(entry: RollEnded) -> str:
    return f"{entry.outcome}, {entry.opened:g} sold, position {entry.position_id} {entry.reason}"


@content.register
def _greg(entry: GregNoted) -> str:
    told = entry.entry
    words = (told.underlying, told.position_id, told.action_type, told.priority, told.reason)
    return f"greg {entry.event}: {' '.join(word for word in words if word)}"


@content.register
def _sandbox_opened(entry: SandboxOpened) -> str:
    legs = ", ".join(f"{leg.size:+g} {leg.contract.symbol}" for leg in entry.legs)
    return f"{entry.position_id} of {entry.run_id}: {legs}"


@content.register
def _sandbox_closed(entry: SandboxClosed) -> str:
    return f"{len(entry.position_ids)} positions {entry.reason}"


@content.register
def _closed(entry: Closed) -> str:
    return entry.reason
