"""What methods may be given: models of parameters, and what is wrong with those that do not fit."""

from collections.abc import Collection
from typing import Annotated, Literal, TypeAlias, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from apps.exchange.rpc import Fields, RpcError, invalid_params, missing_params


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is wanted")  # noqa: TRY004  pydantic reads ValueErrors
    return value


def _listed(value: object) -> object:
    """A list as it is; in a query it is the text of a JSON array, or one name."""
    if not isinstance(value, str):
        return value
    if not value.startswith("["):
        return [value]
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ValueError("not a JSON array") from error


_MOST = 1e15  # of a price or an amount: sums and products of them stay finite
Number: TypeAlias = Annotated[
    float, BeforeValidator(_no_truth), Field(allow_inf_nan=False, ge=-_MOST, le=_MOST)
]
Whole: TypeAlias = Annotated[int, BeforeValidator(_no_truth)]
Instant: TypeAlias = Annotated[int, BeforeValidator(_no_truth), Field(ge=0, le=253402300799000)]
Names: TypeAlias = Annotated[list[str], BeforeValidator(_listed), Field(max_length=500)]
# Those behind EURR are coins that the venue holds or once had contracts in: clients ask for them
# in a row with the others, and hear that there is nothing.
Currency: TypeAlias = Literal[
    "BTC", "ETH", "USDC", "USDT", "EURR", "SOL", "XRP", "MATIC", "PAXG", "STETH", "USDE", "USYC"
]
CurrencyOrAny: TypeAlias = Currency | Literal["any"]
Kind: TypeAlias = Literal[
    "future", "option", "spot", "future_combo", "option_combo", "combo", "any"
]
Sorting: TypeAlias = Literal["asc", "desc", "default"]


class Params(BaseModel):
    """Parameters by name; a name that nobody is known to send is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfCurrency(Params):
    """One currency."""

    currency: Currency


class OfInstrument(Params):
    """One instrument."""

    instrument_name: str = Field(max_length=100)


class Span(Params):
    """From one instant to another, milliseconds from 1970."""

    start_timestamp: Instant
    end_timestamp: Instant


Model = TypeVar("Model", bound=Params)


def read_params(model: type[Model], given: Fields, elsewhere: Collection[str] = ()) -> Model:
    """
    Return *given* as *model*; a null is a parameter left out.

    Deribit passes over names that a method does not have, and clients rely on it: with those that
    other methods have, *elsewhere*, and with some of their own. A name that is none of these is a
    slip of the pen, which this exchange is there to show.

    Raises:
        RpcError: -32602 names the first that is wrong, -32000 one of those that were all left out.
    """
    known = {
        name: value
        for name, value in given.items()
        if value is not None
        and (name in model.model_fields or (name not in elsewhere and name not in _FOREIGN))
    }
    try:
        return model.model_validate(known)
    except ValidationError as error:
        raise _fault(error, is_empty=all(value is None for value in given.values())) from error


def _fault(error: ValidationError, *, is_empty: bool) -> RpcError:
    first = error.errors(include_url=False, include_input=False)[0]
    param = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing":
        return missing_params(param) if is_empty else invalid_params(param, "value required")
    if first["type"] == "extra_forbidden":
        return invalid_params(param, "unknown parameter")
    return invalid_params(param, "wrong format")


# Words of no method here that well-behaved clients send along: those of ccxt's own language, and
# those that older interfaces had.
_FOREIGN = frozenset(
    {
        *("clientOrderId", "code", "marginMode", "paginate", "paginationCalls", "subType"),
        *("symbol", "until"),
        *("password", "settlement_period", "stop_price", "user_id", "username"),
    }
)
