"""Overrides of risk: off by default, of test alone, and never looser than the settings."""

from math import inf, nan

import pytest

from core.greg.environment import EnvMode, OverridesRefused, RuleOverrides
from core.greg.risk_overrides import (
    RiskField,
    RiskScope,
    risk_in,
    risk_views,
    with_risk_overrides,
)

FIELDS = (
    RiskField(key="margin", label="margin", unit="%", default=80.0),
    RiskField(key="drawdown", label="fall", unit="%", default=0.0, is_off_at_zero=True),
)
NONE = RuleOverrides()


def saved(scope: RiskScope, is_used: bool | None = True, **values: float) -> RuleOverrides:
    """Overrides with *values* of *scope*."""
    return with_risk_overrides(
        NONE, scope, values, fields=FIELDS, mode=EnvMode.TEST, is_used=is_used
    )


@pytest.mark.parametrize("scope", RiskScope)
def test_each_scope_has_its_own_switch(scope: RiskScope) -> None:
    """Off it counts for nothing; on it counts for its own scope alone."""
    other = RiskScope.BOT if scope is RiskScope.GLOBAL else RiskScope.GLOBAL
    off, on = saved(scope, None, margin=50.0), saved(scope, margin=50.0)

    assert risk_in(off, scope) == {}
    assert risk_in(on, scope) == {"margin": 50.0}
    assert risk_in(on, other) == {}
    assert not on.use_entry_rule_overrides
    assert on.entry_rules == {}


def test_a_field_shows_default_and_what_is_in_force() -> None:
    """The tighter of the two, whatever a file says; zero that is off gives way to any number."""
    plain = risk_views(FIELDS, {})
    found = risk_views(FIELDS, {"margin": 50.0, "drawdown": 5.0})
    loose = risk_views(FIELDS, {"margin": 95.0})

    assert [each.current_value for each in plain] == [80.0, 0.0]
    assert [(each.default_value, each.current_value) for each in found] == [
        (80.0, 50.0),
        (0.0, 5.0),
    ]
    assert loose[0].current_value == 80.0


def test_saving_merges_key_by_key() -> None:
    """What is not named stays."""
    first = saved(RiskScope.BOT, margin=50.0)
    both = with_risk_overrides(
        first, RiskScope.BOT, {"drawdown": 4.0}, fields=FIELDS, mode=EnvMode.TEST
    )
    assert risk_in(both, RiskScope.BOT) == {"margin": 50.0, "drawdown": 4.0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"moon": 1.0}, "moon: unknown"),
        ({"margin": "much"}, "margin: not a finite number"),
        ({"margin": nan}, "margin: not a finite number"),
        ({"margin": inf}, "margin: not a finite number"),
        ({"margin": True}, "margin: not a finite number"),
        ({"margin": 0.0}, "margin: not positive"),
        ({"margin": 81.0}, "margin: 81 is looser than 80"),
    ],
)
def test_nothing_is_saved_of_a_wrong_call(values: dict[str, object], said: str) -> None:
    """Each fault is named, beside good values too."""
    with pytest.raises(OverridesRefused, match=said):
        with_risk_overrides(
            NONE,
            RiskScope.GLOBAL,
            {"drawdown": 5.0, **values},
            fields=FIELDS,
            mode=EnvMode.TEST,
        )


def test_live_is_read_only() -> None:
    """Nothing is saved there."""
    with pytest.raises(OverridesRefused, match="live is read only"):
        with_risk_overrides(
            NONE, RiskScope.GLOBAL, {"margin": 50.0}, fields=FIELDS, mode=EnvMode.LIVE
        )
