"""Kinds of setting: the bounds and words that fields of several sections share."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, TypeVar

from attrs import frozen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A group of settings: frozen, without unknown names, without NaN or infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


@frozen
class Allowed:
    """What a field accepts, in words, where bounds alone do not say it."""

    text: str


_Item = TypeVar("_Item")


def _without_repeats(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if len(set(items)) != len(items):
        raise ValueError("an item is repeated")
    return items


Coin: TypeAlias = Literal["BTC", "ETH"]

Percent: TypeAlias = Annotated[float, Field(ge=0, le=100)]
PositivePercent: TypeAlias = Annotated[float, Field(gt=0, le=100)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
PositiveFraction: TypeAlias = Annotated[float, Field(gt=0, le=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
CountOrZero: TypeAlias = Annotated[int, Field(ge=0)]
Word: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$", max_length=64),
    Allowed("a name of letters, digits and _ . : / -"),
]
WordOrNothing: TypeAlias = Annotated[
    str,
    Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:/-]*)?$", max_length=64),
    Allowed("a name of letters, digits and _ . : / -, or nothing"),
]

Coins: TypeAlias = Annotated[
    tuple[Coin, ...],
    Field(min_length=1),
    AfterValidator(_without_repeats),
    Allowed("a list of BTC, ETH; at least one, none twice"),
]
Currencies: TypeAlias = Annotated[
    tuple[Literal["BTC", "ETH", "USDC"], ...],
    Field(min_length=1),
    AfterValidator(_without_repeats),
    Allowed("a list of BTC, ETH, USDC; at least one, none twice"),
]
Words: TypeAlias = Annotated[
    tuple[Word, ...], AfterValidator(_without_repeats), Allowed("a list of names, none twice")
]
SomeWords: TypeAlias = Annotated[
    tuple[Word, ...],
    Field(min_length=1),
    AfterValidator(_without_repeats),
    Allowed("a list of names; at least one, none twice"),
]
Profiles: TypeAlias = Annotated[
    tuple[Literal["conservative", "moderate", "aggressive"], ...],
    Field(min_length=1),
    AfterValidator(_without_repeats),
    Allowed("a list of conservative, moderate, aggressive; at least one, none twice"),
]
SizeByCoin: TypeAlias = Annotated[
    Mapping[Coin, Positive], Allowed("a map of BTC, ETH to amounts above 0")
]
BalanceByCoin: TypeAlias = Annotated[
    Mapping[Coin, NotNegative], Allowed("a map of BTC, ETH to amounts of 0 or more")
]
