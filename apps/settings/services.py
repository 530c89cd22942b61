"""Everything around the decision: synthetic prices, models, the loop and its watchers."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from apps.settings.kinds import Allowed, Count, CountOrZero, NotNegative, Positive, Section, Word


class SyntheticSettings(Section):
    """Prices made from realised volatility."""

    synthetic_iv_multiplier: Positive = Field(
        1.0,
        description="implied volatility as a multiple of realised",
    )
    synthetic_skew_enabled: bool = Field(
        True,
        description="apply the smile in calibration pricing",
    )
    synthetic_skew_min_dte: NotNegative = Field(
        3.0,
        description="least days to expiry used to estimate the smile",
    )
    synthetic_skew_max_dte: NotNegative = Field(
        14.0,
        description="most days to expiry used to estimate the smile",
    )


class LlmSettings(Section):
    """Language models in the decision and in the chat."""

    llm_enabled: bool = Field(False, description="master switch of every model call in the loop")
    decision_mode: Literal["rule_only", "llm_only", "hybrid_shadow"] = Field(
        "rule_only",
        description="who decides: rules, the model, or rules with the model recorded beside them",
    )
    llm_shadow_enabled: bool = Field(
        True,
        description="in rule_only, record what the model would have done, if llm_enabled",
    )
    llm_validation_strict: bool = Field(
        True,
        description="an invalid answer is a hold; otherwise the same hold with a warning",
    )
    llm_model_name: Word = Field("gpt-4.1-mini", description="model of decisions")
    llm_chat_model_name: Word = Field("gpt-4.1-mini", description="model of the chat")
    llm_max_decision_tokens: Count = Field(
        1024,
        description="largest answer of a decision, tokens",
    )
    llm_timeout_seconds: Positive = Field(
        30.0,
        description="longest wait for a model, seconds",
    )


class LoopSettings(Section):
    """The trading loop itself."""

    # A missing or partial configuration must not trade.
    dry_run: bool = Field(
        True,
        description="decide and write down, never send an order",
    )
    loop_interval_sec: Count = Field(300, description="time from tick to tick, seconds")
    log_dir: Path = Field(Path("logs"), description="folder of the decision log")


class ReconcileSettings(Section):
    """What happens when our book and the venue's differ."""

    position_reconcile_action: Literal["halt", "auto_heal"] = Field(
        "halt",
        description="stop, or rebuild our book from the venue's",
    )
    position_reconcile_on_startup: bool = Field(
        True,
        description="compare before the first tick",
    )
    position_reconcile_on_each_loop: bool = Field(
        True,
        description="compare before each tick",
    )
    position_reconcile_tolerance_usd: NotNegative = Field(
        10.0,
        description="size difference times spot that is ignored, USD",
    )


class HealthSettings(Section):
    """When health is checked, and whether a failure pauses trading."""

    health_check_on_startup: bool = Field(True, description="check before the first tick")
    auto_kill_on_health_fail: bool = Field(True, description="pause trading when a check fails")
    health_recheck_interval_seconds: CountOrZero = Field(
        600,
        description="time between checks while all is well, seconds; 0 is never",
    )


class DatabaseSettings(Section):
    """The database of research: backtests, trials and Greg's decisions."""

    # Secret, because the URL of a server carries its password.
    database_url: Annotated[
        SecretStr, Allowed("sqlite:///PATH, postgresql://HOST/NAME, or nothing")
    ] = Field(
        SecretStr(""),
        description="where runs are kept; nothing is the file research.sqlite in data_dir",
    )
