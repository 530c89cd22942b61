"""A setting in words: what kind of value it is, what it accepts, how a value is written."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import SecretStr

from apps.settings.faults import shown
from apps.settings.keys import Key
from apps.settings.kinds import Allowed

_KINDS: Mapping[object, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    date: "date",
    SecretStr: "secret",
    tuple: "list",
    Mapping: "map",
    Literal: "choice",
}


def kind(key: Key) -> str:
    """What sort of value *key* holds, such as number, list or choice."""
    annotation = _without_none(key)
    return _KINDS[get_origin(annotation) or annotation]


def allowed(key: Key) -> str:
    """What *key* accepts, such as 0 < x <= 100."""
    said = [item.text for item in key.info.metadata if isinstance(item, Allowed)]
    if said:
        return said[0]
    annotation = _without_none(key)
    if get_origin(annotation) is Literal:
        return " or ".join(get_args(annotation))
    if annotation is int:
        return f"a whole number, {_bounds(key)}"
    if annotation is float:
        return _bounds(key)
    if annotation is date:
        return "a day such as 2026-03-27"
    return "true or false" if annotation is bool else f"a {kind(key)}"


def written(value: object) -> str:
    """*value* as a person would write it; a secret only as set or not set."""
    if isinstance(value, SecretStr):
        return "set, hidden" if value.get_secret_value() else "not set"
    return "not set" if value is None or value == "" else shown(value)


def _without_none(key: Key) -> object:
    annotation: object = key.info.annotation
    if not key.is_optional:
        return annotation
    return next(some for some in get_args(annotation) if some is not type(None))


def _bounds(key: Key) -> str:
    """The bounds of a number, as 0 < x <= 100; pydantic keeps each as a value of its own."""
    low = high = ""
    for bound in key.info.metadata:
        if hasattr(bound, "gt"):
            low = f"{bound.gt} < "
        elif hasattr(bound, "ge"):
            low = f"{bound.ge} <= "
        elif hasattr(bound, "le"):
            high = f" <= {bound.le}"
    return f"{low}x{high}"
