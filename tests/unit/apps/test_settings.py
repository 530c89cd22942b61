"""Settings: names and defaults of the specification, sources, and what follows from them."""

import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.settings.faults import SettingsError
from apps.settings.keys import BY_NAME, BY_PATH, KEYS, SECTIONS, Key
from apps.settings.load import Loaded, load
from apps.settings.policy import PolicySettings
from apps.settings.root import Settings
from apps.settings.rules import value_at
from apps.settings.venue import VenueSettings
from apps.settings.words import allowed, kind

# The agent specification, sections 1.1 to 1.7, and the Greg specification, section 17.
SPECIFIED: dict[str, dict[str, object]] = {
    "venue": {
        "mode": "research",
        "deribit_env": "testnet",
        "deribit_client_id": "",
        "env_mode": "test",
        "underlyings": ("BTC", "ETH"),
    },
    "risk": {
        "max_margin_used_pct": 80.0,
        "max_net_delta_abs": 5.0,
        "max_expiry_exposure": 0.3,
        "research_max_expiry_exposure": 1.0,
        "daily_drawdown_limit_pct": 0.0,
        "kill_switch_enabled": False,
        "liquidity_max_spread_pct": 5.0,
        "liquidity_min_open_interest": 50,
        # The reliability specification, section 2.
        "max_order_notional_usd": 100_000.0,
        "max_open_chains": 10,
        "price_collar_pct": 20.0,
        "quote_age_limit_sec": 30.0,
        "quote_age_limit_production_sec": 10.0,
        "index_age_limit_sec": 30.0,
        "account_age_limit_sec": 60.0,
        "order_requests_per_sec": 2.0,
        "order_burst": 5,
        "max_opens_per_10_min": 10,
        "max_opens_per_day": 50,
        "max_fills_per_strategy_10_min": 5,
        "max_rejections_10_min": 5,
        "clock_skew_warn_sec": 2.0,
        "clock_skew_block_sec": 5.0,
        "duplicate_window_sec": 60.0,
    },
    "candidates": {
        "ivrv_min": 1.2,
        "research_ivrv_min": 1.0,
        "delta_min": 0.20,
        "delta_max": 0.30,
        "research_delta_min": 0.10,
        "research_delta_max": 0.40,
        "dte_min": 5.0,
        "dte_max": 10.0,
        "research_dte_min": 1.0,
        "research_dte_max": 21.0,
        "premium_min_usd": 50.0,
    },
    "policy": {
        "explore_prob": 0.25,
        "explore_top_k": 3,
        "policy_version": "rb_v1_explore",
        "training_mode": False,
        "training_profile_mode": "ladder",
        "training_strategies": ("conservative", "moderate", "aggressive"),
        "max_calls_per_underlying_live": 1,
        "max_calls_per_underlying_training": 6,
        "training_max_calls_per_expiry": 3,
        "save_training_data": False,
        "training_data_dir": Path("data"),
        "default_order_size": 0.1,
        "force_test_strategy": "",
        "force_test_underlying": "BTC",
        "force_test_size": 0.01,
    },
    "synthetic": {
        "synthetic_iv_multiplier": 1.0,
        "synthetic_skew_enabled": True,
        "synthetic_skew_min_dte": 3.0,
        "synthetic_skew_max_dte": 14.0,
    },
    "llm": {
        "llm_enabled": False,
        "decision_mode": "rule_only",
        "llm_shadow_enabled": True,
        "llm_validation_strict": True,
        "llm_model_name": "gpt-4.1-mini",
        "llm_chat_model_name": "gpt-4.1-mini",
        "llm_max_decision_tokens": 1024,
        "llm_timeout_seconds": 30.0,
    },
    # dry_run is on where the baseline has it off: the specification asks for that.
    "loop": {"dry_run": True, "loop_interval_sec": 300, "log_dir": Path("logs")},
    "reconcile": {
        "position_reconcile_action": "halt",
        "position_reconcile_on_startup": True,
        "position_reconcile_on_each_loop": True,
        "position_reconcile_tolerance_usd": 10.0,
    },
    "health": {
        "health_check_on_startup": True,
        "auto_kill_on_health_fail": True,
        "health_recheck_interval_seconds": 600,
    },
    "hedge": {
        "hedge_enabled": False,
        "hedge_check_interval_sec": 60,
        "hedge_on_price_move_pct": 0.01,
    },
    "greg": {
        "greg_trading_mode": "advice_only",
        "greg_enable_live_execution": False,
        "greg_live_max_notional_usd_per_position": 500.0,
        "greg_live_max_notional_usd_per_underlying": 2000.0,
        "assignment_funding_convention": "as_specified",
        "hedge_band_basis": "absolute",
        "greg_secondary_guards": (),
    },
}
SPECIFIED_PATHS = {
    f"{section}.{name}": default
    for section, fields in SPECIFIED.items()
    for name, default in fields.items()
}


def read(
    *files: Path,
    flags: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    dotenv: Path | None = None,
) -> Loaded:
    return load(files, flags or {}, environ or {}, dotenv)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("path", SPECIFIED_PATHS)
def test_defaults_are_those_of_the_specification(path: str) -> None:
    """Every specified name exists, in its section and with its default."""
    found = value_at(Settings(), path)

    assert found == SPECIFIED_PATHS[path]
    assert type(found) is type(SPECIFIED_PATHS[path])


def test_greg_may_trade_no_strategy() -> None:
    """The seven strategy codes are all off."""
    enabled = Settings().greg.greg_strategy_live_enabled

    assert len(enabled) == 7
    assert not any(enabled.values())


def test_names_are_unique_over_sections() -> None:
    """A bare name means one key, and never a section."""
    assert len(BY_NAME) == len(BY_PATH) == len(KEYS)
    assert not set(SECTIONS) & set(BY_NAME)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_can_be_explained(key: Key) -> None:
    """Each key has a description of one line, a default, a kind and words for what it accepts."""
    assert key.description
    assert "\n" not in key.description
    assert not key.info.is_required()
    assert kind(key)
    assert allowed(key) not in ("", "x")


def test_each_source_wins_over_those_before_it(tmp_path: Path) -> None:
    """Flag over environment over .env over the later file over the earlier one over default."""
    first = written(tmp_path / "first.toml", "[risk]\nmax_open_chains = 1\n")
    second = written(tmp_path / "second.toml", "[risk]\nmax_open_chains = 2\n")
    dotenv = written(tmp_path / ".env", "MAX_OPEN_CHAINS=3\n")
    environ, flags = {"MAX_OPEN_CHAINS": "4"}, {"risk.max_open_chains": "5"}

    steps = (
        read(),
        read(first),
        read(first, second),
        read(first, second, dotenv=dotenv),
        read(first, second, dotenv=dotenv, environ=environ),
        read(first, second, dotenv=dotenv, environ=environ, flags=flags),
    )

    assert [step.settings.risk.max_open_chains for step in steps] == [10, 1, 2, 3, 4, 5]
    assert [step.sources["risk.max_open_chains"] for step in steps] == [
        "default",
        f"file {first}",
        f"file {second}",
        f"file {dotenv}",
        "environment MAX_OPEN_CHAINS",
        "flag",
    ]


def test_files_add_up_key_by_key(tmp_path: Path) -> None:
    """A later file that does not name a key leaves it as the earlier one set it."""
    first = written(tmp_path / "first.toml", "seed = 1\n[risk]\nmax_open_chains = 1\n")
    second = written(tmp_path / "second.toml", "[risk]\norder_burst = 2\n")

    settings = read(first, second).settings

    assert (settings.venue.seed, settings.risk.max_open_chains, settings.risk.order_burst) == (
        1,
        1,
        2,
    )


@pytest.mark.parametrize("text", ["max_margin_used_pct = 70", "[risk]\nmax_margin_used_pct = 70.0"])
def test_a_file_names_a_key_with_or_without_its_section(tmp_path: Path, text: str) -> None:
    """A bare key at the top of a file means the same as the key in its table."""
    settings = read(written(tmp_path / "a.toml", text)).settings

    assert settings.risk.max_margin_used_pct == 70.0


@pytest.mark.parametrize("flag", ["max_margin_used_pct", "risk.max_margin_used_pct"])
def test_a_flag_names_a_key_with_or_without_its_section(flag: str) -> None:
    """A flag takes the dotted path or the name alone."""
    assert read(flags={flag: "70"}).settings.risk.max_margin_used_pct == 70.0


def test_the_environment_gives_lists_and_maps_as_json() -> None:
    """JSON in a variable becomes the list or map it says."""
    environ = {"UNDERLYINGS": '["ETH"]', "PAPER_BALANCES": '{"ETH": 3}'}

    venue = read(environ=environ).settings.venue

    assert venue.underlyings == ("ETH",)
    assert venue.paper_balances == {"ETH": 3.0}


def test_the_environment_gives_numbers_flags_days_and_paths() -> None:
    """Text in a variable is read as the kind of value the key holds."""
    environ = {"DRY_RUN": "false", "REPLAY_FROM": "2026-03-27", "LOG_DIR": "/var/log/agent"}

    settings = read(environ=environ).settings

    assert settings.loop.dry_run is False
    assert settings.venue.replay_from == date(2026, 3, 27)
    assert settings.loop.log_dir == Path("/var/log/agent")


def test_variables_are_found_in_any_case_and_upper_case_wins() -> None:
    """A lower-case variable counts, unless the upper-case one is there too."""
    assert read(environ={"max_open_chains": "3"}).settings.risk.max_open_chains == 3
    both = {"MAX_OPEN_CHAINS": "4", "max_open_chains": "3"}
    assert read(environ=both).settings.risk.max_open_chains == 4


def test_variables_that_are_not_ours_are_ignored(tmp_path: Path) -> None:
    """Foreign names in the environment and in .env change nothing."""
    dotenv = written(tmp_path / ".env", "EDITOR=vi\nRISK=9\n")

    assert read(environ={"HOME": "/", "SHELL": "x"}, dotenv=dotenv).settings == Settings()


def test_a_missing_dotenv_gives_nothing(tmp_path: Path) -> None:
    """The .env file is optional."""
    assert read(dotenv=tmp_path / ".env").settings == Settings()


def test_empty_text_unsets_an_optional_key(tmp_path: Path) -> None:
    """A flag without a value takes back what a file set."""
    file = written(tmp_path / "a.toml", 'replay_data = "days"\n')

    assert read(file).settings.venue.replay_data == Path("days")
    assert read(file, flags={"replay_data": ""}).settings.venue.replay_data is None


def test_a_file_may_hold_maps_lists_and_days(tmp_path: Path) -> None:
    """Tables, arrays and dates of TOML are the maps, lists and days of the settings."""
    text = (
        'underlyings = ["ETH"]\n'
        "replay_to = 2026-03-27\n"
        "[policy.order_size_by_underlying]\nETH = 2\n"
        "[greg]\ngreg_strategy_live_enabled = { STRATEGY_C_SHORT_PUT = true }\n"
    )

    settings = read(written(tmp_path / "a.toml", text)).settings

    assert settings.venue.underlyings == ("ETH",)
    assert settings.venue.replay_to == date(2026, 3, 27)
    assert settings.policy.order_size_by_underlying == {"ETH": 2.0}
    assert settings.greg.greg_strategy_live_enabled == {"STRATEGY_C_SHORT_PUT": True}


@settings(derandomize=True, deadline=None)
@given(st.floats() | st.floats(min_value=-1, max_value=101))
def test_the_margin_cap_is_a_percentage_above_zero(value: float) -> None:
    """Of all floats, NaN and infinity included, exactly 0 < x <= 100 are accepted."""
    try:
        read(flags={"max_margin_used_pct": repr(value)})
        accepted = True
    except SettingsError:
        accepted = False

    assert accepted is (not math.isnan(value) and 0 < value <= 100)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("research", (True, 1.0, 0.10, 0.40, 1.0, 21.0, 1.0, 30.0, 0.25)),
        ("production", (False, 1.2, 0.20, 0.30, 5.0, 10.0, 0.3, 10.0, 0.0)),
    ],
)
def test_the_mode_chooses_the_family_of_thresholds(
    mode: str, expected: tuple[bool | float, ...]
) -> None:
    """Research and production each see their own column of the specification."""
    settings = read(flags={"mode": mode}).settings

    assert expected == (
        settings.is_research,
        settings.effective_ivrv_min,
        settings.effective_delta_min,
        settings.effective_delta_max,
        settings.effective_dte_min,
        settings.effective_dte_max,
        settings.effective_max_expiry_exposure,
        settings.effective_quote_age_limit_sec,
        settings.effective_explore_prob,
    )


@pytest.mark.parametrize(("training", "calls"), [("true", 6), ("false", 1)])
def test_training_raises_the_number_of_calls(training: str, calls: int) -> None:
    """Six calls per coin in training, one outside."""
    settings = read(flags={"training_mode": training}).settings

    assert settings.max_calls_per_underlying == calls
    assert settings.is_training_on_testnet is (calls == 6)


@pytest.mark.parametrize(
    ("venue", "url"),
    [
        (VenueSettings(), "https://test.deribit.com"),
        (VenueSettings(deribit_env="mainnet"), "https://www.deribit.com"),
        (VenueSettings(deribit_base_url="http://127.0.0.1:8080/"), "http://127.0.0.1:8080"),
    ],
)
def test_the_address_follows_the_environment(venue: VenueSettings, url: str) -> None:
    """Testnet and mainnet have their addresses; a given one stands, without its last slash."""
    assert venue.base_url == url


@pytest.mark.parametrize(("family", "ccy"), [("inverse", "ETH"), ("linear", "USDC")])
def test_the_settlement_currency_follows_the_family(family: str, ccy: str) -> None:
    """Inverse contracts settle in their coin, linear ones in USDC."""
    venue = read(flags={"option_margin_type": family}).settings.venue

    assert venue.settlement_ccy("ETH") == ccy


def test_a_coin_without_a_size_of_its_own_has_the_default_size() -> None:
    """ETH has Deribit's minimum of one coin, BTC the default of a tenth."""
    policy = PolicySettings()

    assert policy.order_size_coin("BTC") == 0.1
    assert policy.order_size_coin("ETH") == 1.0


def test_one_coin_can_be_traded_without_naming_the_other() -> None:
    """The default sizes and balances of a coin that is not traded contradict nothing."""
    assert read(flags={"underlyings": '["BTC"]'}).settings.venue.underlyings == ("BTC",)
