"""Which options are looked at, and what is done with them."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from apps.settings.kinds import (
    Coin,
    Count,
    Fraction,
    NotNegative,
    Percent,
    Positive,
    PositivePercent,
    Profiles,
    Section,
    SizeByCoin,
    SomeWords,
    Word,
    WordOrNothing,
)


class CandidateSettings(Section):
    """Thresholds of a candidate; the family in use follows the mode."""

    ivrv_min: NotNegative = Field(
        1.2,
        description="least implied over realised volatility, production",
    )
    research_ivrv_min: NotNegative = Field(
        1.0,
        description="least implied over realised volatility, research",
    )
    delta_min: Fraction = Field(0.20, description="smallest delta of a call, production")
    delta_max: Fraction = Field(0.30, description="largest delta of a call, production")
    research_delta_min: Fraction = Field(0.10, description="smallest delta of a call, research")
    research_delta_max: Fraction = Field(0.40, description="largest delta of a call, research")
    dte_min: NotNegative = Field(5.0, description="least days to expiry, production")
    dte_max: NotNegative = Field(10.0, description="most days to expiry, production")
    research_dte_min: NotNegative = Field(1.0, description="least days to expiry, research")
    research_dte_max: NotNegative = Field(21.0, description="most days to expiry, research")
    premium_min_usd: NotNegative = Field(
        50.0,
        description="least premium per coin of notional, USD",
    )


class PolicySettings(Section):
    """The rule policy: what is opened, when it is rolled or closed, how orders are worked."""

    strategies: SomeWords = Field(
        ("covered_call_v1",),
        description="strategies in use, by strategy_id",
    )
    policy_version: Word = Field(
        "rb_v1_explore",
        description="written into every decision",
    )
    explore_prob: Fraction = Field(
        0.25,
        description="probability of an exploratory choice; research only",
    )
    explore_top_k: Count = Field(
        3,
        description="candidates an exploratory choice is drawn from",
    )
    training_mode: bool = Field(
        False,
        description="collect data with several profiles; research on testnet only",
    )
    training_profile_mode: Literal["single", "ladder"] = Field(
        "ladder",
        description="one call per profile, or several",
    )
    training_strategies: Profiles = Field(
        ("conservative", "moderate", "aggressive"),
        description="training profiles in use, in this order",
    )
    max_calls_per_underlying_live: Count = Field(
        1,
        description="short calls per coin outside training",
    )
    max_calls_per_underlying_training: Count = Field(
        6,
        description="short calls per coin in training",
    )
    training_max_calls_per_expiry: Count = Field(
        3,
        description="short calls per coin and expiry date in a training ladder",
    )
    save_training_data: bool = Field(
        False,
        description="export data sets after each backtest",
    )
    training_data_dir: Path = Field(
        Path("data"),
        description="folder of exported training data",
    )
    default_order_size: Positive = Field(
        0.1,
        description="size of an order, coins, for coins without a size of their own",
    )
    # One ETH is the least Deribit trades in ETH options.
    order_size_by_underlying: SizeByCoin = Field(
        {"ETH": 1.0},
        description="size of an order by coin, coins",
    )
    force_test_strategy: WordOrNothing = Field(
        "",
        description="strategy opened once without its entry rules, as a smoke test; empty is none",
    )
    force_test_underlying: Coin = Field("BTC", description="coin of the smoke test")
    force_test_size: Positive = Field(0.01, description="size of the smoke test, coins")
    score: Literal["carry", "live", "backtest"] = Field(
        "carry",
        description="what candidates are ranked by: expected carry, or one of the older scores",
    )
    take_profit_captured_pct: PositivePercent = Field(
        80.0,
        description="premium captured at which a short call is bought back, percent",
    )
    roll_dte: NotNegative = Field(
        1.0,
        description="roll a call with fewer days left than this",
    )
    roll_itm_dte: NotNegative = Field(
        2.0,
        description="roll a call in the money with at most these days left",
    )
    roll_near_pct: Percent = Field(
        2.0,
        description="distance from spot to strike that counts as near, percent of spot",
    )
    roll_near_dte: NotNegative = Field(
        1.0,
        description="roll a call near the money with at most these days left",
    )
    roll_credit_only: bool = Field(True, description="roll only for a net credit")
    roll_never_down: bool = Field(False, description="never roll to a lower strike")
    roll_out_only: bool = Field(True, description="roll only to a later expiry")
    roll_cooldown_sec: NotNegative = Field(
        3600.0,
        description="least time between two rolls of one position, seconds",
    )
    execution_style: Literal["taker", "patient"] = Field(
        "taker",
        description="cross the spread at once, or rest and reprice",
    )
    order_ttl_sec: Positive = Field(
        120.0,
        description="age at which a working order is cancelled, seconds",
    )
    valid_for_sec: Positive = Field(
        5.0,
        description="time after which the venue must refuse a delayed request, seconds",
    )

    def order_size_coin(self, underlying: Coin) -> float:
        """Size of one order in *underlying*, coins."""
        return self.order_size_by_underlying.get(underlying, self.default_order_size)
