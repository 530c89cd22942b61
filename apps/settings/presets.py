"""Presets of a backtest: a name for a set of limits and windows, which anything given overrides."""

from collections.abc import Mapping

from apps.settings.load import DEFAULT, Loaded

_BOTH_SKEWS = {"synthetic.synthetic_skew_enabled": "true"}

# Off is written as a value that lets everything pass.
PRESETS: Mapping[str, Mapping[str, str]] = {
    "ULTRA_SAFE": {
        "backtest.backtest_expiry_share": "0.15",
        "risk.max_margin_used_pct": "40",
        "risk.max_net_delta_abs": "2.5",
        "policy.training_max_calls_per_expiry": "1",
        "backtest.call_ivrv_min": "1.3",
        "backtest.call_delta_min": "0.15",
        "backtest.call_delta_max": "0.30",
        "backtest.call_dte_min": "7",
        "backtest.call_dte_max": "21",
        "backtest.call_premium_min_usd": "300",
        "candidates.research_ivrv_min": "1.3",
        "candidates.research_delta_min": "0.15",
        "candidates.research_delta_max": "0.30",
        "candidates.research_dte_min": "7",
        "candidates.research_dte_max": "21",
        "candidates.premium_min_usd": "300",
        "policy.training_mode": "false",
        **_BOTH_SKEWS,
    },
    "BALANCED": {
        "backtest.backtest_expiry_share": "0.25",
        "risk.max_margin_used_pct": "60",
        "risk.max_net_delta_abs": "3.5",
        "policy.training_max_calls_per_expiry": "1",
        "backtest.call_ivrv_min": "1.15",
        "backtest.call_delta_min": "0.15",
        "backtest.call_delta_max": "0.35",
        "backtest.call_dte_min": "3",
        "backtest.call_dte_max": "21",
        "backtest.call_premium_min_usd": "200",
        "candidates.research_ivrv_min": "1.15",
        "candidates.research_delta_min": "0.15",
        "candidates.research_delta_max": "0.35",
        "candidates.research_dte_min": "3",
        "candidates.research_dte_max": "21",
        "candidates.premium_min_usd": "200",
        "policy.training_mode": "true",
        **_BOTH_SKEWS,
    },
    "AGGRESSIVE": {
        "backtest.backtest_expiry_share": "1.0",
        "risk.max_margin_used_pct": "80",
        "risk.max_net_delta_abs": "5.0",
        "policy.training_max_calls_per_expiry": "3",
        "backtest.call_ivrv_min": "0",
        "backtest.call_delta_min": "0.10",
        "backtest.call_delta_max": "0.40",
        "backtest.call_dte_min": "1",
        "backtest.call_dte_max": "21",
        "backtest.call_premium_min_usd": "0",
        "candidates.research_ivrv_min": "0",
        "candidates.research_delta_min": "0.10",
        "candidates.research_delta_max": "0.40",
        "candidates.research_dte_min": "1",
        "candidates.research_dte_max": "21",
        "candidates.premium_min_usd": "0",
        "policy.training_mode": "true",
        **_BOTH_SKEWS,
    },
}


def preset_flags(loaded: Loaded) -> dict[str, str]:
    """What the preset that *loaded* names sets, without what was given in any other place."""
    wanted = PRESETS.get(loaded.settings.backtest.backtest_preset, {})
    return {path: value for path, value in wanted.items() if loaded.sources.get(path) == DEFAULT}
