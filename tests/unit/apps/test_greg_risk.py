"""Overrides of risk as they bite: the limits of an agent, and the caps of Greg's desk."""

import json
from pathlib import Path

from attrs import evolve

from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.greg_params import greg_params, mode_state
from apps.wiring.greg_risk import size_caps, tightened_mode, tightened_params
from apps.wiring.params import desk_params
from core.greg.sizing import SizeCaps


def told(data: Path, env_mode: str = "test", **overrides: object) -> Settings:
    """Settings whose data folder has *overrides*."""
    (data / "greg_overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    return Settings(venue=VenueSettings.model_validate({"data_dir": data, "env_mode": env_mode}))


GLOBAL = {"max_margin_used_pct": 40.0, "max_open_chains": 2, "daily_drawdown_limit_pct": 5.0}
BOT = {"gregbot": {"max_notional_usd_per_position": 100.0}}


def test_an_agent_trades_within_the_tighter_limits(tmp_path: Path) -> None:
    """Those that are overridden; a looser one, which only a hand can have written, is not."""
    loose = {**GLOBAL, "max_net_delta_abs": 500.0}
    settings = told(tmp_path, use_global_risk_overrides=True, global_risk=loose)
    params = desk_params(settings)
    found = tightened_params(settings, params)

    assert found == evolve(
        params,
        limits=evolve(
            params.limits,
            max_margin_used_pct=40.0,
            max_open_positions=2,
            daily_drawdown_limit_pct=5.0,
        ),
    )


def test_caps_begin_lower(tmp_path: Path) -> None:
    """A person may raise them while running, up to those of the settings as before."""
    settings = told(tmp_path, use_bot_risk_overrides=True, bot_risk=BOT)
    state = mode_state(settings)
    found = tightened_mode(settings, state)

    assert found.caps == evolve(state.caps, per_position_usd=100.0)
    assert found.most == state.most


def test_off_changes_nothing(tmp_path: Path) -> None:
    """Without the switches, and in live with them."""
    off = told(tmp_path, global_risk=GLOBAL, bot_risk=BOT)
    params, state = desk_params(off), mode_state(off)
    assert tightened_params(off, params) is params
    assert tightened_mode(off, state) is state
    live = told(
        tmp_path,
        "live",
        use_global_risk_overrides=True,
        use_bot_risk_overrides=True,
        global_risk=GLOBAL,
        bot_risk=BOT,
    )
    assert tightened_params(live, params) is params
    assert tightened_mode(live, state) is state


def test_share_and_positions_bind_what_greg_opens(tmp_path: Path) -> None:
    """The caps of an opening are those of the settings, tighter where a person made them so."""
    bot = {"gregbot": {"max_equity_share": 5.0, "max_positions_per_underlying": 1}}
    tight = told(tmp_path, use_bot_risk_overrides=True, bot_risk=bot)
    assert size_caps(tight) == SizeCaps(equity_share=0.05, most_positions=1)
    assert greg_params(tight).caps == size_caps(tight)
    loose = {"gregbot": {"max_equity_share": 90.0, "max_positions_per_underlying": 9}}
    assert size_caps(told(tmp_path, use_bot_risk_overrides=True, bot_risk=loose)) == SizeCaps()
    off = told(tmp_path, bot_risk=bot)
    assert size_caps(off) == SizeCaps(equity_share=0.25, most_positions=3)
    live = told(tmp_path, "live", use_bot_risk_overrides=True, bot_risk=bot)
    assert size_caps(live) == SizeCaps()
