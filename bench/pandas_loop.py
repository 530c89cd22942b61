"""
The covered-call rule of the benchmark as a loop over hourly frames, in plain pandas.

Written without any of our rules: it reads the frame of each hour, picks the call, charges fees and
margin, and must come to the trades of the fast simulator.
"""

from math import floor

import pandas as pd
from attrs import define, frozen

from core.backtest.covered_call import CallAccount
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.rules import CallRule, Expiries, Schedule
from core.risk.limits import RiskLimits

DAY_MS = 86_400_000
COIN = "BTC"
LIMITS = RiskLimits(
    order_size={COIN: 1.0},
    max_expiry_exposure=10.0,
    max_calls_per_underlying=1,
    max_order_notional_usd=1e9,
    price_collar_pct=100.0,
    max_spread_pct=200.0,
    min_open_interest=0.0,
)
RULE = CallRule(
    schedule=Schedule.ALWAYS,
    expiries=Expiries.ALL,
    target_dte=7.0,
    dte_min=5.0,
    dte_max=9.0,
    exits=ExitRule(style=ExitStyle.TAKE_PROFIT, take_profit_pct=50.0),
)
ACCOUNT = CallAccount(deposit_coin=1.0, order_size=1.0)


@frozen
class Sold:
    """One trade as the loop saw it; what either engine must agree on."""

    opened_ms: int
    closed_ms: int
    expiry_ms: int
    strike: float
    amount: float
    pnl_coin: float
    fees_coin: float
    margin_coin: float


@define
class Held:
    """A call the loop is short of."""

    opened_ms: int
    expiry_ms: int
    strike: float
    amount: float
    entry: float
    mark: float
    fee: float
    margin: float

    def rows_in(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Its row of the hour in *frame*; none where it is not listed."""
        return frame[(frame["expiry_ms"] == self.expiry_ms) & (frame["strike"] == self.strike)]


def pandas_loop(frame: pd.DataFrame, delivery: dict[int, float]) -> list[Sold]:
    """The rule of this benchmark as a loop over hourly frames, in plain pandas."""
    balance, held, before = ACCOUNT.deposit_coin, None, None
    sold: list[Sold] = []
    for key, now in frame.groupby("at_ms", sort=True):
        at_ms = int(str(key))
        ended: Sold | None = None
        if held is not None and held.expiry_ms <= at_ms:
            delivered = _delivered(held, delivery[held.expiry_ms])
            balance += delivered.pnl_coin + held.fee - held.entry * held.amount
            sold.append(delivered)
            held = None
        if held is not None and before is not None:
            ended = _bought_back(held, before, now, at_ms)
        if held is not None and ended is not None:
            balance += ended.pnl_coin + held.fee - held.entry * held.amount
            sold.append(ended)
            held = None
        elif held is None and before is not None:
            held = _sale(before, now, balance)
            balance += held.entry * held.amount - held.fee if held is not None else 0.0
        if held is not None:
            here = held.rows_in(now)
            held.mark = here["mark"].iloc[0] if len(here) else held.mark
        before = now
    if held is not None:
        sold.append(_closed(held, -1, held.mark, 0.0))
    return sold


def _delivered(held: Held, price: float) -> Sold:
    """What delivery at *price* makes of it; Fridays are charged for."""
    payoff = max(price - held.strike, 0.0) / price
    is_friday = (held.expiry_ms // DAY_MS) % 7 == 1
    fee = min(0.00015, 0.125 * payoff) * held.amount if is_friday else 0.0
    return _closed(held, held.expiry_ms, payoff, fee)


def _bought_back(held: Held, before: pd.DataFrame, now: pd.DataFrame, at_ms: int) -> Sold | None:
    """What taking profit makes of it, if the hour before says so and somebody offers."""
    seen, here = held.rows_in(before), held.rows_in(now)
    if not len(seen) or not len(here) or not here["ask"].iloc[0] > 0:
        return None
    captured_pct = 100.0 * (held.entry - seen["ask"].iloc[0]) / held.entry
    if captured_pct < RULE.exits.take_profit_pct:
        return None
    price = here["ask"].iloc[0]
    return _closed(held, at_ms, price, min(0.0003, 0.125 * price) * held.amount)


def _sale(before: pd.DataFrame, now: pd.DataFrame, balance: float) -> Held | None:
    """The call chosen on the frame *before* and sold on that of *now*; None if there is none."""
    taken_ms, at_ms = int(before["at_ms"].iloc[0]), int(now["at_ms"].iloc[0])
    if 7 * 60 + 55 <= at_ms % DAY_MS // 60_000 < 8 * 60 + 5:
        return None
    dte = (before["expiry_ms"] - taken_ms) / DAY_MS
    inside = before[(dte >= RULE.dte_min) & (dte <= RULE.dte_max)]
    if not len(inside):
        return None
    distance = ((inside["expiry_ms"] - taken_ms) / DAY_MS - RULE.target_dte).abs()
    calls = inside[inside["expiry_ms"] == inside["expiry_ms"].loc[distance.idxmin()]]
    calls = calls[(calls["bid"] > 0) & calls["delta"].between(RULE.delta_min, RULE.delta_max)]
    if not len(calls):
        return None
    chosen = calls.loc[(calls["delta"] - RULE.target_delta).abs().idxmin()]
    here = now[(now["expiry_ms"] == chosen["expiry_ms"]) & (now["strike"] == chosen["strike"])]
    amount = min(floor(balance / 0.1 * (1 + 1e-12)), 10) * 0.1
    if not len(here) or not here["sellable"].iloc[0] or amount < 0.1:
        return None
    row = here.iloc[0]
    out = max(row["strike"] - row["forward"], 0.0) / row["forward"]
    margin = (max(0.15 - out, 0.10) + row["mark"]) * amount
    fee = min(0.0003, 0.125 * row["bid"]) * amount
    equity = balance - (row["mark"] - row["bid"]) * amount - fee
    if 100.0 * margin / equity > LIMITS.max_margin_used_pct:
        return None
    return Held(
        opened_ms=at_ms,
        expiry_ms=int(row["expiry_ms"]),
        strike=row["strike"],
        amount=amount,
        entry=row["bid"],
        mark=row["mark"],
        fee=fee,
        margin=margin,
    )


def _closed(held: Held, at_ms: int, price: float, fee: float) -> Sold:
    fees = held.fee + fee
    return Sold(
        opened_ms=held.opened_ms,
        closed_ms=at_ms,
        expiry_ms=held.expiry_ms,
        strike=held.strike,
        amount=held.amount,
        pnl_coin=float(held.amount * (held.entry - price) - fees),
        fees_coin=float(fees),
        margin_coin=held.margin,
    )
