"""The rules by which controls change: the same wherever they are kept."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from sys import float_info
from typing import Any

import attrs
from attrs import frozen

from ports.controls import ControlChange, ReconcileAction, RuntimeControls

_Reader = Callable[[str, object], Any]


@frozen
class Changed:
    """Controls after a change, and one audit line for each control it named."""

    controls: RuntimeControls
    audit: tuple[ControlChange, ...]


def changed(
    controls: RuntimeControls, at: datetime, who: str, reason: str, changes: Mapping[str, object]
) -> Changed:
    """
    Return *controls* after *changes*, field name to new value; None takes an overlay away.

    kill_switch to True keeps *reason* as kill_reason; to False counts in releases.

    Raises:
        ValueError: Nobody or nothing is named, there is no such control, it cannot have that
            value, or the kill switch would be released without a reason.
    """
    if not who.strip() or not changes:
        raise ValueError("a change of controls must name who makes it and what is changed")
    values = {name: _value(name, value) for name, value in changes.items()}
    revision = controls.revision + 1
    after = attrs.evolve(controls, revision=revision, **values, **_kill(controls, values, reason))
    _refuse_crossed(after)
    audit = tuple(
        ControlChange(
            at=at,
            who=who,
            reason=reason,
            name=name,
            old=_text(getattr(controls, name)),
            new=_text(value),
            revision=revision,
        )
        for name, value in values.items()
    )
    return Changed(after, audit)


def _value(name: str, value: object) -> Any:
    if name not in _READERS:
        raise ValueError(f"there is no control {name!r} that can be changed")
    return _READERS[name](name, value)


def _kill(controls: RuntimeControls, values: Mapping[str, object], reason: str) -> dict[str, Any]:
    if "kill_switch" not in values:
        return {}
    if values["kill_switch"]:
        return {"kill_reason": reason}
    if not reason.strip():
        raise ValueError("releasing the kill switch needs a reason")
    return {"kill_reason": "", "releases": controls.releases + 1}


def _refuse_crossed(controls: RuntimeControls) -> None:
    for low, high in (("delta_min", "delta_max"), ("dte_min", "dte_max")):
        lower, upper = getattr(controls, low), getattr(controls, high)
        if lower is not None and upper is not None and lower > upper:
            raise ValueError(f"{low} must not be above {high}, was {lower} above {upper}")


def _text(value: object) -> str:
    """The audit's word for *value*: empty for None, JSON's for the rest."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _switch(name: str, value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, was {value!r}")  # noqa: TRY004
    return value


def _number_upto(highest: float) -> _Reader:
    def read(name: str, value: object) -> object:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} must be a number, was {value!r}")  # noqa: TRY004
        if not 0 <= value <= highest:  # NaN is not
            raise ValueError(f"{name} must be a number from 0 to {highest}, was {value!r}")
        return float(value)

    return read


def _word_of(words: type[StrEnum]) -> _Reader:
    def read(name: str, value: object) -> object:
        if value is None:
            return None
        for word in words:
            if word == value:
                return word
        raise ValueError(f"{name} must be one of {', '.join(words)}, was {value!r}")

    return read


_percent = _number_upto(100.0)
_share = _number_upto(1.0)
_amount = _number_upto(float_info.max)

_READERS: Mapping[str, _Reader] = {
    "kill_switch": _switch,
    "daily_drawdown_limit_pct": _percent,
    "position_reconcile_action": _word_of(ReconcileAction),
    "position_reconcile_tolerance_usd": _amount,
    "max_margin_used_pct": _percent,
    "max_net_delta_abs": _amount,
    "liquidity_max_spread_pct": _percent,
    "liquidity_min_open_interest": _amount,
    "explore_prob": _share,
    "ivrv_min": _amount,
    "delta_min": _share,
    "delta_max": _share,
    "dte_min": _amount,
    "dte_max": _amount,
}
