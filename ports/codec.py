"""Every value to JSON and back: the only form in which values are written down."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite, isnan, nan
from typing import Any, get_args, get_origin

from attrs import frozen
from cattrs import Converter
from cattrs.errors import BaseValidationError

from ports.instruments import Contract, FutureContract, OptionContract, contract_named

Fields = dict[str, Any]
Upcast = Callable[[Fields], Fields]


@frozen(eq=False)
class Codec:
    """
    JSON of the values it was made for, with the type's name written beside each.

    *upcasts* lead an older form of a type to the current one: for each type name the steps
    from version 1 to 2, 2 to 3 and so on. A new field with a default needs no step.
    NaN is written as null and read back as NaN; infinity is refused.
    """

    types: Mapping[str, type]
    upcasts: Mapping[str, tuple[Upcast, ...]]

    @classmethod
    def of(
        cls, types: Iterable[type], upcasts: Mapping[str, tuple[Upcast, ...]] | None = None
    ) -> "Codec":
        """Return the codec of *types* (attrs classes, told apart by name)."""
        return cls({kind.__name__: kind for kind in types}, dict(upcasts or {}))

    def encode(self, value: object) -> Fields:
        """
        Return *value* as JSON-ready fields with its type and version.

        Raises:
            ValueError: The type is not of this codec, or a number in it is infinite.
        """
        name = type(value).__name__
        if self.types.get(name) is not type(value):
            raise ValueError(f"cannot write a {name}: not a type of this codec")
        fields = _CONVERTER.unstructure(value)
        return {"type": name, "version": self._version(name), **fields}

    def decode(self, fields: Fields) -> Any:
        """
        Return the value that *fields* describe.

        Raises:
            ValueError: The type is unknown, newer than this program, or its fields are wrong.
        """
        name, version = fields.get("type"), fields.get("version")
        if not isinstance(name, str) or name not in self.types:
            raise ValueError(f"cannot read a value of type {name!r}")
        current = self._version(name)
        if type(version) is not int or not 1 <= version <= current:
            raise ValueError(
                f"cannot read {name} version {version!r}; this program knows {current}"
            )
        rest = {key: field for key, field in fields.items() if key not in ("type", "version")}
        for upcast in self.upcasts.get(name, ())[version - 1 :]:
            rest = upcast(rest)
        try:
            return _CONVERTER.structure(rest, self.types[name])
        except (BaseValidationError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"cannot read {name}: {error!r}") from error

    def _version(self, name: str) -> int:
        return 1 + len(self.upcasts.get(name, ()))


def to_json(fields: Fields) -> str:
    """Return *fields* as one line of JSON: sorted keys, no spaces, the same bytes every time."""
    return _ENCODER.encode(fields)


def from_json(text: str | bytes) -> Fields:
    """
    Return the JSON object in *text*.

    Raises:
        ValueError: It is not one JSON object.
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object, found {type(fields).__name__}")  # noqa: TRY004
    return fields


def instant_text(instant: datetime) -> str:
    """
    Return *instant* as ISO text in UTC with microseconds and Z.

    Raises:
        ValueError: It is naive: nobody knows when that is.
    """
    if instant.tzinfo is None:
        raise ValueError(f"a naive instant cannot be written: {instant!r}")
    in_utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return f"{in_utc.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def instant_from(text: str) -> datetime:
    """
    Return the instant that *text* says.

    Raises:
        ValueError: It does not read as instant_text writes.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None or instant_text(instant) != text:
        raise ValueError(f"not an instant as it is written here: {text!r}")
    return instant


def _float_out(number: float) -> float | None:
    if isnan(number):
        return None
    if not isfinite(number):
        raise ValueError(f"an infinite number cannot be written: {number}")
    return float(number)  # 1 given for 1.0 is written as it will be read


def _float_in(field: object, _: object) -> float:
    if field is None:
        return nan
    if isinstance(field, bool) or not isinstance(field, int | float):
        raise TypeError(f"expected a number, found {field!r}")
    return float(field)


def _symbol_out(contract: Contract) -> str:
    if contract_named(contract.symbol) != contract:
        raise ValueError(f"{contract.symbol} does not say all of {contract!r}")
    return contract.symbol


def _symbol_in(field: object, kind: Any) -> Contract:
    if not isinstance(field, str):
        raise TypeError(f"expected a symbol, found {field!r}")
    contract = contract_named(field)
    is_of_kind = isinstance(contract, kind)
    if not is_of_kind:
        raise TypeError(f"expected the name of another kind of contract, found {field!r}")
    return contract


def _exactly(kind: type) -> Callable[[object, type], Any]:
    """
    Read a field only if it is of *kind* already: nothing is converted silently.

    An enum of str is a str too, and is asked for its member of that value.
    """

    def read(field: object, wanted: type) -> object:
        if type(field) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {field!r}")
        return field if wanted is kind else wanted(field)

    return read


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _tuple_of(kind: Any, converter: Converter) -> Callable[[object, object], Any]:
    """Read a list as tuple[X, ...]; a text or a map is not one, though both can be gone through."""
    cell = get_args(kind)[0]
    read_cell = converter.get_structure_hook(cell)

    def read(field: object, _: object) -> object:
        if not isinstance(field, list):
            raise TypeError(f"expected a list, found {field!r}")
        return tuple(read_cell(each, cell) for each in field)

    return read


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, unstruct_collection_overrides={frozenset: sorted})
    converter.register_unstructure_hook(datetime, instant_text)
    converter.register_structure_hook(datetime, lambda text, _: instant_from(text))
    converter.register_unstructure_hook(float, _float_out)
    converter.register_structure_hook(float, _float_in)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook_factory(_is_tuple, _tuple_of)
    for contract in (OptionContract, FutureContract):
        converter.register_unstructure_hook(contract, _symbol_out)
        converter.register_structure_hook(contract, _symbol_in)
    converter.register_structure_hook(Contract, _symbol_in)
    return converter


_CONVERTER = _make_converter()
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
)
