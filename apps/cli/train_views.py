"""Cards of training data and leaks, as rows and as records."""

from attrs import asdict

from core.training.card import DatasetCard, StyleStats
from core.training.leaks import Leak

_MOST_SHOWN = 10


def card_record(card: DatasetCard) -> dict[str, object]:
    """*card* for JSON."""
    return dict(asdict(card))


def style_row(style: StyleStats) -> tuple[str, ...]:
    """One exit style as cells."""
    won = None if style.win_rate is None else 100.0 * style.win_rate
    return (
        style.exit_style,
        str(style.settled),
        _figure(style.reward_mean, ".5f"),
        _figure(won, ".1f"),
        _figure(style.policy_reward_mean, ".5f"),
        _figure(style.best_reward_mean, ".5f"),
    )


def leak_lines(leaks: tuple[Leak, ...]) -> list[str]:
    """The first of *leaks*, and how many more there are."""
    lines = [f"leak: {leak}" for leak in leaks[:_MOST_SHOWN]]
    if len(leaks) > _MOST_SHOWN:
        lines.append(f"and {len(leaks) - _MOST_SHOWN} more")
    return lines


def leak_records(leaks: tuple[Leak, ...]) -> list[dict[str, str]]:
    """*leaks* for JSON."""
    return [{"where": leak.where, "what": leak.what} for leak in leaks]


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
