"""Sums of printed amounts."""

from decimal import Decimal


def exact_sum(first: float, second: float) -> float:
    """The sum of two printed amounts: 0.1 and 0.2 make 0.3, however often it is done."""
    return float(Decimal(repr(first)) + Decimal(repr(second)))
