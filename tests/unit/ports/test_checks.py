"""Validators: a wrong value is refused where it is built, by name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import attrs
import pytest
from attrs import field, make_class
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.checks import (
    epoch_ms,
    finite,
    from_epoch_ms,
    label,
    not_negative,
    positive,
    utc,
)


def built(check: Callable[..., None], value: object) -> Any:
    """A value with one field called `it` that *check* guards."""
    return make_class("Guarded", {"it": field(validator=check)})(value)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (positive, [1e-300, 1.0, 1e300], [0.0, -1.0, nan, inf, -inf]),
        (not_negative, [0.0, 1.0], [-1e-300, nan, inf, -inf]),
        (finite, [0.0, -1.0, 1e300], [nan, inf, -inf]),
        (label, ["a", "a" * 64, "covered_call_v1.000012.open"], ["", "a" * 65, "é", "a\n", "\x7f"]),
        (
            utc,
            [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(timedelta(0)))],
            [
                datetime(2026, 1, 1),  # noqa: DTZ001
                datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            ],
        ),
    ],
)
def test_a_check_takes_the_good_and_names_the_bad(
    check: Callable[..., None], good: list[object], bad: list[object]
) -> None:
    """What is good is built; what is bad is refused with the field's name and the value."""
    for value in good:
        assert attrs.astuple(built(check, value)) == (value,)
    for value in bad:
        with pytest.raises(ValueError, match="it must"):
            built(check, value)


@given(st.integers(-(10**13), 10**13))
@settings(derandomize=True, deadline=None)
def test_milliseconds_and_instants_lead_to_each_other(milliseconds: int) -> None:
    """As the venue counts, without loss."""
    assert epoch_ms(from_epoch_ms(milliseconds)) == milliseconds


def test_milliseconds_count_from_1970() -> None:
    """1,700,000,000 s after the epoch it was 22:13:20 on 14 November 2023, UTC."""
    instant = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)

    assert epoch_ms(instant) == 1_700_000_000_000
    assert from_epoch_ms(1_700_000_000_000) == instant
