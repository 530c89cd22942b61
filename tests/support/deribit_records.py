"""Records that the venue tells and the product does not read, field by field."""

from typing import Any, Literal

from pydantic import ConfigDict, create_model

Number = int | float
Numbers = dict[str, Number]
Maybe = (Number | None, None)
Words = ConfigDict(strict=True, extra="forbid")


def record(title: str, /, **fields: Any) -> Any:  # a type, but none a checker could follow
    """A record with exactly *fields*: each a type, or a type and the default of what may miss."""
    return create_model(title, __config__=Words, **fields)


def many(kind: Any) -> Any:
    """A list of *kind*."""
    return list[kind]


def by_name(kind: Any) -> Any:
    """A map from names to *kind*."""
    return dict[str, kind]


Ok = Literal["ok"]
Side = Literal["buy", "sell"]
Version = record("Version", version=str)

Leg = record("Leg", instrument_name=str, amount=Number)
Combo = record(
    "Combo",
    id=str,
    state=str,
    legs=many(Leg),
    instrument_id=int,
    creation_timestamp=int,
    state_timestamp=int,
)
LegPrice = record("LegPrice", ratio=Number, instrument_name=str, price=Number, direction=Side)
_PLAIN_TRADE: dict[str, Any] = {
    "trade_id": str,
    "trade_seq": int,
    "instrument_name": str,
    "timestamp": int,
    "direction": Side,
    "tick_direction": Literal[0, 1, 2, 3],
    "price": Number,
    "amount": Number,
    "index_price": Maybe,  # combos have none
    "iv": Maybe,
    "combo_id": (str | None, None),
    "combo_trade_id": (str | None, None),
}
TradeLeg = record("TradeLeg", **_PLAIN_TRADE)
Trade = record(
    "Trade",
    **_PLAIN_TRADE,
    mark_price=Maybe,
    contracts=Maybe,
    liquidation=(Literal["M", "T", "MT"] | None, None),
    starbase_match_id=(int | None, None),  # beyond 2^53
    starbase_timestamp=(int | None, None),
    legs=(many(TradeLeg), None),
)
Trades = record("Trades", trades=many(Trade), has_more=bool)

ExpiriesByKind = dict[Literal["option", "future"], list[str]]
Funding = record(
    "Funding",
    timestamp=int,
    index_price=Number,
    prev_index_price=Number,
    interest_1h=Number,
    interest_8h=Number,
)
Announcement = record(
    "Announcement",
    id=int,
    title=str,
    body=str,
    important=bool,
    confirmation=(bool, False),
    publication_timestamp=int,
)
Yield = record("Yield", day=int, apr=Number)
Priority = record("Priority", name=str, value=Number)
Currency = record(
    "Currency",
    coin_type=str,
    currency=str,
    currency_long=str,
    min_confirmations=int,
    min_withdrawal_fee=Number,
    withdrawal_fee=Number,
    withdrawal_priorities=many(Priority),
    network_currency=str,
    network_fee=Number,
    decimals=int,
)
Volumes = record(
    "Volumes",
    currency=str,
    puts_volume=Number,
    calls_volume=Number,
    futures_volume=Number,
    spot_volume=Number,
)

MarginState = record(
    "MarginState",
    maintenance_margin_rate=Number,
    initial_margin_rate=Number,
    available_balance=Number,
)
MarginChange = record("MarginChange", currency=str, old_state=MarginState, new_state=MarginState)
Lock = record("Lock", currency=str, locked=bool, message=(str | None, None))
LogEntry = record(
    "LogEntry",
    id=int,
    user_id=int,
    user_seq=int,
    username=str,
    timestamp=int,
    type=str,
    side=str,
    currency=str,
    change=Number,
    cashflow=Number,
    balance=Number,
    equity=Number,
    commission=Maybe,
    info=str | dict[str, str | Number],
    instrument_name=(str | None, None),
    trade_id=(str | None, None),
    order_id=(str | None, None),
    price=Maybe,
    price_currency=(str | None, None),
    mark_price=Maybe,
    amount=Maybe,
    position=Maybe,
    interest_pl=Maybe,
    total_interest_pl=Maybe,
    session_rpl=Maybe,
    session_upl=Maybe,
    profit_as_cashflow=(bool | None, None),
    user_role=(str | None, None),
    ip=(str | None, None),
)
Trigger = record(
    "Trigger",
    trigger=str,
    timestamp=int,
    trigger_price=Number,
    trigger_order_id=str,
    order_state=str,
    request=str,
    price=Number,
    order_id=str,
    offset=Number,
    instrument_name=str,
    amount=Number,
    direction=Side,
)
Mmp = record(
    "Mmp",
    index_name=str,
    mmp_group=str,
    interval=int,
    frozen_time=int,
    quantity_limit=Number,
    max_quote_quantity=Number,
    delta_limit=Maybe,
    vega_limit=Maybe,
)
MmpStatus = record("MmpStatus", index_name=str, mmp_group=str, frozen_until=int)
QuoteError = record(
    "QuoteError",
    instrument_name=str,
    side=str,
    error=record("Error", message=str, code=int),
)
Moved = record(
    "Moved",
    instrument_name=str,
    direction=Side,
    amount=Number,
    price=Number,
    source_uid=int,
    target_uid=int,
)

Coin = record(
    "Coin",
    max_offsetable_pnl=Number,
    annualised_move_risk=Number,
    extended_dampener=Number,
    min_annualised_move=Number,
    haircut=Number,
    equity_side_impact=str,
    pnl_offset=Number,
    correlation_set=bool,
)
RiskModel = record(
    "RiskModel",
    currency_pair=dict[str, Numbers],
    currency=by_name(Coin),
    general=Numbers,
)
Bucket = record("Bucket", bucket=int, side=str, source=str, index=int)
Matrix = record(
    "Matrix",
    delta_shock=Number,
    roll_shock=Number,
    worst_case_bucket=Bucket,
    worst_case=Number,
    correlation_contingency=Number,
)
MarginDetails = record(
    "MarginDetails",
    risk_matrix_margin_details=Matrix,
    risk_matrix_margin=Number,
    spot_margin=Number,
    mmp_margin=Number,
    open_orders_margin=Number,
)
CoinMargin = record(
    "CoinMargin",
    initial_margin_details=MarginDetails,
    initial_margin=Number,
    maintenance_margin=Number,
)
Vectors = dict[str, dict[Literal["standard", "extended"], list[Number]]]
PortfolioMargin = record(
    "PortfolioMargin",
    model_params=RiskModel,
    aggregated_risk_vectors=Vectors,
    initial_risk_vectors=Vectors,
    margins=by_name(CoinMargin),
    portfolio=dict[Literal["currency", "position"], Numbers],
    index_price=Numbers,
    ticker=dict[str, dict[Literal["mark_price", "index_price"], Number]],
)

Level = tuple[Number, Number]
Quote = record(
    "Quote",
    timestamp=int,
    instrument_name=str,
    best_bid_price=Number,
    best_bid_amount=Number,
    best_ask_price=Number,
    best_ask_amount=Number,
)
Depth = record(
    "Depth",
    timestamp=int,
    instrument_name=str,
    change_id=int,
    bids=list[Level],
    asks=list[Level],
)
Bar = record(
    "Bar",
    tick=int,
    open=Number,
    high=Number,
    low=Number,
    close=Number,
    volume=Number,
    cost=Number,
)
