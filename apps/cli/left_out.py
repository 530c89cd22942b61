"""What a past lacks, told on stderr by commands that have no place for it among their figures."""

from collections import Counter
from collections.abc import Iterable

from apps.cli.console import tell
from ports.backtest_runs import Omission


def tell_left_out(omissions: Iterable[Omission]) -> None:
    """Tell every reason once, with how often it was one."""
    reasons = Counter(f"{each.subject}: {each.reason}" for each in omissions)
    for reason, times in reasons.items():
        tell(f"left out: {reason}{f', {times} times' if times > 1 else ''}")
