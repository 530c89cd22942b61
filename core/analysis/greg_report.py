"""How far suggestions were followed: counts and figures at the moment they were made."""

from collections.abc import Callable, Sequence

from attrs import frozen

from ports.greg_log import GregEntry


@frozen(kw_only=True)
class Group:
    """Suggestions of one kind; *avg_pnl_pct* a fraction as in the log, None where none is known."""

    name: str
    suggestions: int
    executed: int
    avg_pnl_pct: float | None

    @property
    def follow_rate_pct(self) -> float:
        """Executed of suggested, percent; zero without any."""
        return _percent(self.executed, self.suggestions)


@frozen(kw_only=True)
class FollowReport:
    """
    The decision log added up; dismissals and refusals are no suggestions, and dry runs, which
    are neither followed nor ignored, are no executions.
    """

    records: int
    whole: Group
    by_strategy: tuple[Group, ...]
    by_action: tuple[Group, ...]
    followed: Group
    ignored: Group
    dry_runs: int

    @property
    def follow_rate_pct(self) -> float:
        """Executed of suggested, percent; zero without any."""
        return self.whole.follow_rate_pct


def follow_report(entries: Sequence[GregEntry]) -> FollowReport:
    """Return what *entries* add up to."""
    said = [each for each in entries if each.is_suggestion and not each.is_system]
    return FollowReport(
        records=len(entries),
        whole=_group("all", said),
        by_strategy=_grouped(said, lambda entry: entry.strategy_type),
        by_action=_grouped(said, lambda entry: entry.action_type),
        followed=_group("followed", [each for each in said if _is_followed(each)]),
        ignored=_group("ignored", [each for each in said if not each.executed]),
        dry_runs=sum(each.is_dry_run for each in said),
    )


def share_pct(group: Group, whole: Group) -> float:
    """How much of *whole* the suggestions of *group* are, percent."""
    return _percent(group.suggestions, whole.suggestions)


def _is_followed(entry: GregEntry) -> bool:
    return entry.executed and not entry.is_dry_run


def _grouped(entries: Sequence[GregEntry], key: Callable[[GregEntry], str]) -> tuple[Group, ...]:
    names = sorted({key(each) for each in entries})
    return tuple(_group(name, [each for each in entries if key(each) == name]) for name in names)


def _group(name: str, entries: Sequence[GregEntry]) -> Group:
    known = [each.pnl_pct for each in entries if each.pnl_pct is not None]
    return Group(
        name=name,
        suggestions=len(entries),
        executed=sum(_is_followed(each) for each in entries),
        avg_pnl_pct=sum(known) / len(known) if known else None,
    )


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
