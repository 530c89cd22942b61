"""Settings as the parameters of a backtest: the rule, the account, the limits, the words."""

from datetime import timedelta
from hashlib import sha256

import orjson
from attrs import evolve

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.greg_params import greg_config
from apps.wiring.params import desk_params, risk_limits
from core.backtest.covered_call import STRATEGY_ID, CallAccount
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.latency import Latency
from core.backtest.rules import CallRule, Expiries, Schedule
from core.backtest.tradable import FillParams, FillPrice, FillSize
from core.risk.limits import RiskLimits
from core.simulation.listing import deribit_rules
from core.usecases.desk import DeskParams

LADDER_ID, GREG = "call_ladder_v1", "gregbot"
_NO_LIMIT = 1e9
_SECTIONS = ("backtest", "candidates", "policy", "risk")  # what can change a result
_PLACES = frozenset({"training_data_dir", "backtest_memory_mb"})


def scoped(settings: Settings, coin: Coin) -> Settings:
    """*settings* of one coin, on a clock that steps from tick to tick."""
    venue = settings.venue.model_copy(
        update={"underlyings": (coin,), "venue_clock": "stepped", "venue_kind": "paper"}
    )
    seconds = 60 * settings.backtest.backtest_interval_minutes
    loop = settings.loop.model_copy(update={"loop_interval_sec": seconds})
    return settings.model_copy(update={"venue": venue, "loop": loop})


def call_rule(settings: Settings, style: str) -> CallRule:
    """The rule, with exits of *style*."""
    given = settings.backtest
    return CallRule(
        schedule=Schedule(given.call_schedule),
        expiries=Expiries(given.call_expiries),
        target_dte=given.call_target_dte,
        dte_min=given.call_dte_min,
        dte_max=given.call_dte_max,
        target_delta=given.call_target_delta,
        delta_min=given.call_delta_min,
        delta_max=given.call_delta_max,
        premium_min_usd=given.call_premium_min_usd,
        ivrv_min=given.call_ivrv_min,
        exits=ExitRule(
            style=ExitStyle(style),
            take_profit_pct=given.exit_take_profit_pct,
            min_dte_to_roll=given.exit_min_dte_to_roll,
            defend_near_strike=given.exit_defend_near_strike,
            max_rolls=given.exit_max_rolls,
            time_exit_dte=given.exit_time_dte,
            delta_stop=given.exit_delta_stop,
        ),
    )


def call_account(settings: Settings, coin: Coin) -> CallAccount:
    """
    Coins and order size; what may be short on one expiry bounds the order.

    Raises:
        ValueError: There are no coins to start with, or no size of an order.
    """
    given, rules = settings.backtest, deribit_rules(coin)
    deposit = given.backtest_deposits.get(coin, 0.0)
    if not deposit > 0.0:
        raise ValueError(f"backtest.backtest_deposits has no {coin}")
    wanted = min(given.backtest_order_size.get(coin, 0.0), given.backtest_expiry_share * deposit)
    size = rules.amount(rules.lots_down(wanted))
    if size < rules.min_amount:
        raise ValueError(
            f"an order of {size:g} {coin} is below the venue's least of {rules.min_amount:g}: "
            f"raise backtest.backtest_order_size, _deposits or _expiry_share"
        )
    return CallAccount(
        deposit_coin=deposit,
        order_size=size,
        latency=Latency(given.backtest_latency).snapshots,
    )


def strategy_id_of(settings: Settings) -> str:
    """What trades: while training the ladder of profiles, else what is set."""
    return LADDER_ID if settings.is_training_enabled else settings.backtest.backtest_strategy


def fill_params(settings: Settings) -> FillParams:
    """How orders are filled."""
    given = settings.backtest
    return FillParams(
        price=FillPrice(given.backtest_fill_price),
        size=FillSize(given.backtest_fill_size),
        spread_share=given.backtest_spread_share,
        fee_share=given.backtest_fee_share,
    )


def backtest_limits(settings: Settings, coin: Coin) -> RiskLimits:
    """
    The limits of risk in a run: those of [risk], or without what is said of liquidity and size.

    Margin, net delta and coverage hold in both.
    """
    limits, account = risk_limits(settings), call_account(settings, coin)
    if settings.backtest.backtest_limits == "live":
        return limits
    return evolve(
        limits,
        order_size={coin: max(account.order_size, limits.order_size.get(coin, 0.0))},
        max_expiry_exposure=settings.backtest.backtest_expiry_share * account.deposit_coin,
        max_order_notional_usd=_NO_LIMIT,
        price_collar_pct=100.0,
        max_spread_pct=200.0,
        min_open_interest=0.0,
        unknown_liquidity_blocks=False,
        quote_age=timedelta(days=1),
        index_age=timedelta(days=1),
    )


def backtest_desk_params(settings: Settings, coin: Coin) -> DeskParams:
    """The parameters of the agent whose tick is run."""
    return evolve(
        desk_params(settings),
        underlyings=(coin,),
        limits=backtest_limits(settings, coin),
        kill_switch=False,
        health=None,
        address=None,
    )


def config_of(settings: Settings, coin: Coin) -> dict[str, str | float]:
    """Every parameter that can change the result, by its dotted name."""
    found: dict[str, str | float] = {
        "venue.market": settings.venue.market,
        "venue.seed": settings.venue.seed,
        "venue.mode": settings.venue.mode,
        "underlying": coin,
    }
    if settings.venue.universe_model is not None:
        found["venue.universe_model"] = settings.venue.universe_model.name
    for section in _SECTIONS:
        fields = getattr(settings, section).model_dump(mode="json")
        for name, value in fields.items():
            if name not in _PLACES:
                found[f"{section}.{name}"] = _plain(value)
    if strategy_id_of(settings) == GREG:
        found |= {name: _plain(value) for name, value in greg_config(settings, coin).items()}
    return found


def config_hash(config: dict[str, str | float], style: str) -> str:
    """The fingerprint of one configuration: the same one tried twice is one trial."""
    relevant = {name: each for name, each in config.items() if not name.endswith("exit_styles")}
    text = orjson.dumps({**relevant, "style": style}, option=orjson.OPT_SORT_KEYS)
    return sha256(text).hexdigest()[:16]


def labels_of(settings: Settings, coin: Coin) -> dict[str, str]:
    """What a result must say of itself, in the order it is printed."""
    given, account = settings.backtest, call_account(settings, coin)
    labels = {
        "data": _data_words(settings),
        "engine": _ENGINES[given.backtest_engine],
        "decision": _LATENCIES[given.backtest_latency],
        "fills": _fill_words(settings),
        "fees": _fee_words(settings),
        "settlement": _SETTLEMENTS[settings.venue.market],
        "account": (
            f"{account.deposit_coin:g} {coin} at the start, {account.order_size:g} contracts an "
            f"order, never more than the coin held covers"
        ),
        "limits": _LIMITS[given.backtest_limits],
    }
    entry = {
        STRATEGY_ID: _entry_words(settings),
        LADDER_ID: _ladder_words(settings),
        GREG: _GREG_WORDS,
    }.get(strategy_id_of(settings))
    if entry is not None:
        labels = {"entry": entry, **labels}
    if given.backtest_preset != "CUSTOM":
        labels["preset"] = given.backtest_preset
    return labels


def _entry_words(settings: Settings) -> str:
    given = settings.backtest
    when = (
        "the first snapshot in the day from Friday 08:05 UTC"
        if given.call_schedule == "weekly"
        else "any snapshot"
    )
    which = "Friday expiry" if given.call_expiries == "fridays" else "expiry"
    words = (
        f"at {when} with no call held: of the {which} nearest to {given.call_target_dte:g} days "
        f"({given.call_dte_min:g} to {given.call_dte_max:g}) the call nearest to delta "
        f"{given.call_target_delta:g} ({given.call_delta_min:g} to {given.call_delta_max:g})"
    )
    if given.call_premium_min_usd:
        words += f", premium from {given.call_premium_min_usd:g} USD"
    if given.call_ivrv_min:
        words += f", IV/RV from {given.call_ivrv_min:g}"
    return words


def _ladder_words(settings: Settings) -> str:
    given, policy = settings.backtest, settings.policy
    return (
        f"at any snapshot, for each profile of {', '.join(policy.training_strategies)} in turn, "
        f"calls of its deltas with {given.call_dte_min:g} to {given.call_dte_max:g} days, "
        f"{policy.training_profile_mode}: at most {policy.max_calls_per_underlying_training} "
        f"in all and {policy.training_max_calls_per_expiry} on one expiry"
    )


def _data_words(settings: Settings) -> str:
    venue = settings.venue
    if venue.market == "replay":
        return "recorded quotes, marks and index"
    minutes = settings.backtest.backtest_interval_minutes
    made = "universe fitted to history" if venue.market == "universe" else "synthetic market"
    return f"{made}, seed {venue.seed}, every {minutes} min"


def _fill_words(settings: Settings) -> str:
    given = settings.backtest
    side = "sold at the bid, bought at the ask"
    if given.backtest_spread_share != 1.0:
        side = f"{given.backtest_spread_share:g} half-spreads from the middle"
    size = "whole orders" if given.backtest_fill_size == "whole" else "up to the amount shown"
    model = (
        "; the usual spread where nothing is quoted"
        if (given.backtest_fill_price == "model")
        else "; no quote is no trade"
    )
    return f"taker, {side}, {size}{model}"


def _fee_words(settings: Settings) -> str:
    share = settings.backtest.backtest_fee_share
    words = (
        "trade min(0.0003, 12.5 % of the price) coin a contract, delivery min(0.00015, 12.5 % of "
        "the payoff), dailies free"
    )
    return words if share == 1.0 else f"{share:g} times: {words}"


def _plain(value: object) -> str | float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return value if isinstance(value, str) else orjson.dumps(value).decode()


_GREG_WORDS = (
    "what Greg's entry engine chooses, one structure at a time, managed by his position engine and "
    "not hedged; days and deltas of calls do not count; sensors without a volatility index"
)
_ENGINES = {"tick": "the agent's tick", "fast": "compiled simulator of the call rule"}
_LATENCIES = {
    "previous": "on the snapshot before the one that is traded at; the first is only looked at",
    "same": "on the very snapshot that is traded at, which no live order can do: optimistic",
}
_SETTLEMENTS = {
    "replay": (
        "mean of the index recorded 07:30-08:00 UTC, else log-linear at 07:45 between the "
        "recorded neighbours, with its standard error"
    ),
    "synthetic": "mean of the index over 07:30-08:00 UTC",
    "universe": "mean of the index over 07:30-08:00 UTC",
}
_LIMITS = {
    "research": "margin, net delta and coverage as live; none on spread, interest or notional",
    "live": "those of live trading",
}
