"""One value of one setting, from the text of a person or the types of a TOML file."""

import json
from enum import Enum

from attrs import field, frozen

from apps.settings.faults import Fault, shown
from apps.settings.keys import Key
from apps.settings.words import allowed


class Form(Enum):
    """How a source writes values: all text, or with the types of TOML."""

    TEXT = "text"
    TYPED = "typed"


@frozen
class Given:
    """A value that a source gives for *key*, not yet read; *source* names the place."""

    key: Key
    raw: object = field(repr=False)  # may be a secret
    form: Form
    source: str


@frozen
class Parsed:
    """A value read from a source."""

    key: Key
    value: object
    source: str


def parse(given: Given) -> Parsed | Fault:
    """
    Return the value of *given*, or the fault in it.

    Text is read as a person means it ("70", "yes", a JSON list); TOML has types
    of its own, and "70" in quotes is not a number there.
    """
    key = given.key
    if key.is_optional and given.raw == "":
        return Parsed(key, None, given.source)
    try:
        if given.form is Form.TEXT and not key.is_structured:
            model = key.model.model_validate_strings({key.name: given.raw})
        else:
            value = json.loads(str(given.raw)) if given.form is Form.TEXT else given.raw
            # Strict JSON takes lists, dates and paths as JSON writes them, and refuses
            # a number in quotes or a boolean where a number is meant.
            body = json.dumps({key.name: value}, default=str)
            model = key.model.model_validate_json(body, strict=True)
    except (ValueError, RecursionError):  # what pydantic and json raise
        return _fault(given)
    return Parsed(key, getattr(model, key.name), given.source)


def _fault(given: Given) -> Fault:
    found = "hidden" if given.key.is_secret else shown(given.raw)
    return Fault(given.key.path, found, allowed(given.key), f"correct the {given.source}")
