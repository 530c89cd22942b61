"""The venue's words as it writes them; what is read here is turned into ours in parse."""

from math import nan
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, SecretStr

END_MS = 253_402_300_800_000  # from 1970: the year 10,000, which no datetime reaches
_LARGEST = 1e15  # no price, amount or volume of the venue comes near


def _number_or_nan(value: object) -> float:
    """*value* if it is a number that can be meant; null, text, 1e308 and infinity are NaN."""
    if type(value) is float:  # nearly always
        return value if -_LARGEST < value < _LARGEST else nan
    if type(value) is not int:
        return nan
    return float(value) if abs(value) < _LARGEST else nan


Quoted = Annotated[float, BeforeValidator(_number_or_nan)]  # NaN where the venue tells nothing
Milliseconds = Annotated[int, Field(ge=0, lt=END_MS)]  # from 1970


class Foreign(BaseModel):
    """Fields the venue adds are let pass; those named here must be of their type."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class GrantedToken(Foreign):
    """public/auth; its lifetime in seconds is read, never assumed."""

    access_token: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    expires_in: FiniteFloat = Field(gt=0)
    scope: str


class IndexPrice(Foreign):
    """public/get_index_price; USD per coin."""

    index_price: FiniteFloat = Field(gt=0)


class TickStep(Foreign):
    above_price: FiniteFloat
    tick_size: FiniteFloat = Field(gt=0)


class Instrument(Foreign):
    """A row of public/get_instruments; commissions are fractions of the underlying."""

    instrument_name: str
    kind: str
    base_currency: str
    instrument_type: str | None = None  # reversed or linear
    contract_size: FiniteFloat
    min_trade_amount: FiniteFloat = Field(gt=0)
    tick_size: FiniteFloat = Field(gt=0)
    tick_size_steps: list[TickStep] = Field(default_factory=list)
    expiration_timestamp: Milliseconds | None = None  # combos may have none
    strike: FiniteFloat | None = None
    option_type: Literal["call", "put"] | None = None
    is_active: bool
    state: str | None = None
    taker_commission: FiniteFloat


class Ticker(Foreign):
    """public/ticker; an absent quote is 0.0 with an amount of 0.0."""

    instrument_name: str
    timestamp: Milliseconds
    state: str
    best_bid_price: Quoted
    best_bid_amount: Quoted
    best_ask_price: Quoted
    best_ask_amount: Quoted
    mark_price: Quoted
    mark_iv: Quoted = float("nan")
    underlying_price: Quoted = float("nan")
    open_interest: Quoted


class Chart(Foreign):
    """public/get_tradingview_chart_data: bars by their beginning, in milliseconds."""

    status: Literal["ok", "no_data"]
    ticks: list[Milliseconds]
    open: list[Quoted]
    high: list[Quoted]
    low: list[Quoted]
    close: list[Quoted]


class DeliveryPriceRow(Foreign):
    date: str  # 2026-09-20
    delivery_price: FiniteFloat = Field(gt=0)


class DeliveryPrices(Foreign):
    """public/get_delivery_prices, newest first."""

    data: list[DeliveryPriceRow]
    records_total: int


class RateLimit(Foreign):
    """In requests a second, and at once."""

    rate: FiniteFloat = Field(gt=0)
    burst: FiniteFloat = Field(ge=1)


class TradingLimits(Foreign):
    total: RateLimit


class MatchingLimits(Foreign):
    trading: TradingLimits


class AccountLimits(Foreign):
    """Field limits of the account summary."""

    non_matching_engine: RateLimit
    matching_engine: MatchingLimits


class AccountSummary(Foreign):
    """private/get_account_summary, in coin."""

    currency: str
    balance: FiniteFloat
    equity: FiniteFloat
    initial_margin: FiniteFloat = Field(ge=0)
    maintenance_margin: FiniteFloat = Field(ge=0)
    limits: object = None  # AccountLimits, if it can be read: no balance depends on it


class HeldPosition(Foreign):
    """A row of private/get_positions; size is signed, contracts or USD of a future."""

    instrument_name: str
    direction: Literal["buy", "sell", "zero"]
    size: FiniteFloat
    average_price: FiniteFloat
    mark_price: FiniteFloat = Field(ge=0)
    floating_profit_loss: FiniteFloat | None = None  # coin, since the last settlement
    realized_profit_loss: FiniteFloat | None = None  # likewise, funding included


class PlacedOrder(Foreign):
    """An order as private/buy, cancel and the lists of orders tell it."""

    order_id: str
    instrument_name: str
    direction: Literal["buy", "sell"]
    order_state: str
    price: FiniteFloat | Literal["market_price"]
    amount: FiniteFloat = Field(gt=0)
    filled_amount: FiniteFloat = Field(default=0.0, ge=0)  # untriggered orders have none
    label: str = ""
    reduce_only: bool
    creation_timestamp: Milliseconds
    last_update_timestamp: Milliseconds


class UserTrade(Foreign):
    """A row of private/get_user_trades; fee in *fee_currency*, negative is a rebate."""

    trade_id: str
    order_id: str
    instrument_name: str
    direction: Literal["buy", "sell"]
    amount: FiniteFloat = Field(gt=0)
    price: FiniteFloat = Field(ge=0)
    fee: FiniteFloat
    fee_currency: str
    index_price: FiniteFloat = Field(gt=0)
    timestamp: Milliseconds
    liquidity: Literal["M", "T"]
    label: str = ""


class PlacedAnswer(Foreign):
    """private/buy and private/sell."""

    order: PlacedOrder
    trades: list[UserTrade]


class UserTrades(Foreign):
    """private/get_user_trades_by_currency."""

    trades: list[UserTrade]
    has_more: bool


class SettlementRecord(Foreign):
    """A row of private/get_settlement_history_by_currency; index_price is that of delivery."""

    type: str
    timestamp: Milliseconds
    instrument_name: str = ""  # a bankruptcy is of no instrument
    position: FiniteFloat = 0.0
    index_price: Quoted = float("nan")


class Settlements(Foreign):
    """private/get_settlement_history_by_currency, newest first."""

    settlements: list[SettlementRecord]
    continuation: str | None = None
