"""Backtests of Greg's structures: opened by his waterfall, ended by his position engine."""

import asyncio
import json
from pathlib import Path

import pytest

from adapters.memory.backtest_runs import MemoryBacktestRuns
from apps.settings.load import load
from apps.wiring.backtest import CoinBacktest, keep_run, run_coin, run_styles, to_resume
from apps.wiring.backtest_params import backtest_desk_params, config_of
from apps.wiring.backtest_past import Hooks, prepared_coin
from apps.wiring.params import risk_limits
from core.backtest.trades import identity_error
from core.greg.holdings import code_in
from ports.backtest_runs import BacktestRun, BacktestTrade, ExitReason, RunStatus
from tests.support.command_line import Ended, options_agent

GIVEN = {
    "venue.market": "synthetic",
    "venue.venue_clock": "stepped",
    "venue.seed": "1",
    "venue.replay_from": "2025-02-05",
    "venue.replay_to": "2025-03-31",
    "backtest.backtest_interval_minutes": "480",
    "backtest.backtest_strategy": "gregbot",
    "backtest.backtest_exit_styles": '["gregbot_managed"]',
}


async def ran(folder: Path, **changed: str) -> BacktestRun:
    settings = load((), GIVEN | {"venue.data_dir": str(folder)} | changed, {}, None).settings
    prepared = await prepared_coin(settings, "BTC", Hooks())
    backtest = CoinBacktest.new(settings, "BTC", prepared, "")
    return await run_coin(backtest, MemoryBacktestRuns(), Hooks())


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> BacktestRun:
    """Eight weeks in which calendars and strangles are opened, rolled and closed."""
    return asyncio.run(ran(tmp_path_factory.mktemp("calm")))


def trades_of(run: BacktestRun) -> tuple[BacktestTrade, ...]:
    return run.results[0].trades


def test_structures_are_opened_whole(calm: BacktestRun) -> None:
    """Each has its legs at one instant, and every trade names the strategy that fired."""
    structures: dict[tuple[int, object], list[BacktestTrade]] = {}
    for trade in trades_of(calm):
        structures.setdefault((trade.chain, trade.opened_at), []).append(trade)

    assert len(structures) >= 3
    for legs in structures.values():
        assert len(legs) == 2
        assert len({abs(leg.amount) for leg in legs}) == 1
    reasons = {trade.entry_reason for trade in trades_of(calm)}
    assert all(code_in(reason) for reason in reasons)
    assert len(reasons) >= 2


def test_what_is_bought_counts_negative(calm: BacktestRun) -> None:
    """The far leg of a calendar; its profit is that of the formula of a sale, with the sign."""
    bought = [trade for trade in trades_of(calm) if trade.amount < 0.0]

    assert bought
    for trade in trades_of(calm):
        earned = trade.amount * (trade.entry_coin - trade.exit_coin) - trade.fees_coin
        assert trade.pnl_coin == pytest.approx(earned, abs=1e-12)


def test_the_account_is_the_sum_of_its_trades(calm: BacktestRun) -> None:
    """Legs that were bought, sold, rolled and delivered add up to the change of equity."""
    result = calm.results[0]

    assert abs(identity_error(result.trades, result.equity, 1.0)) < 1e-12


def test_ends_are_those_of_the_position_engine(calm: BacktestRun) -> None:
    """Greg's own, delivery, or the end of the past; a roll sells the same strategy again."""
    ends = {trade.exit_reason for trade in trades_of(calm)}
    assert ExitReason.GREG in ends
    assert ends <= {
        ExitReason.GREG,
        ExitReason.EXPIRED,
        ExitReason.ASSIGNED,
        ExitReason.LEFT_OPEN,
    }
    rolled = [trade for trade in trades_of(calm) if "STRANGLE" in trade.entry_reason]
    assert len({trade.opened_at for trade in rolled if trade.chain == rolled[0].chain}) == 2


def test_calls_are_covered_by_coin(calm: BacktestRun) -> None:
    """Never more of them short than coins held, premiums paid before they are sold."""
    equity = calm.results[0].equity
    for trade in trades_of(calm):
        if trade.contract.is_call and trade.amount > 0.0:
            assert trade.amount <= float(equity.cash_coin.max())
            assert trade.amount <= 1.0


def test_sizes_are_those_of_the_caps(calm: BacktestRun) -> None:
    """A coin of equity carries a fifth of a strangle and more of a calendar: 2 % at risk."""
    sizes = {(each.entry_reason, abs(each.amount)) for each in trades_of(calm)}

    assert sizes == {("STRATEGY_A_STRANGLE", 0.2), ("STRATEGY_B_CALENDAR", 0.6)}


async def test_a_share_of_equity_that_leaves_no_lot_opens_nothing(tmp_path: Path) -> None:
    """A person's tighter limit binds a backtest too, and each refusal is told."""
    bot = {"gregbot": {"max_equity_share": 1.0}}
    told = {"use_bot_risk_overrides": True, "bot_risk": bot}
    (tmp_path / "greg_overrides.json").write_text(json.dumps(told), encoding="utf-8")
    result = (await ran(tmp_path)).results[0]

    assert result.trades == ()
    assert any("1 % of equity tied up leaves" in each.reason for each in result.omissions)


def test_whatever_changes_greg_is_another_trial(tmp_path: Path) -> None:
    """A variant, a limit or a cap that a person put over his makes another configuration."""

    def config(**changed: str) -> dict[str, str | float]:
        given = GIVEN | {"venue.data_dir": str(tmp_path)} | changed
        return config_of(load((), given, {}, None).settings, "BTC")

    plain = config()
    variant = config(**{"greg.greg_entry_variants": '["hysteresis"]'})
    told = {
        "use_entry_rule_overrides": True,
        "entry_rules": {"gregbot": {"straddle_vrp_min": 12.0}},
        "use_bot_risk_overrides": True,
        "bot_risk": {"gregbot": {"max_equity_share": 5.0}},
    }
    (tmp_path / "greg_overrides.json").write_text(json.dumps(told), encoding="utf-8")
    changed = config()
    calls = config(**{"backtest.backtest_strategy": "call_rule_v1"})

    assert {key for key in plain if variant[key] != plain[key]} == {"greg.greg_entry_variants"}
    assert {key: changed[key] for key in plain if changed[key] != plain[key]} == {
        "greg.entry_rules.straddle_vrp_min": 12.0,
        "greg.max_equity_share": 5.0,
    }
    assert not any(key.startswith("greg.") for key in calls)


async def test_a_run_that_is_stopped_ends_alike(calm: BacktestRun, tmp_path: Path) -> None:
    """Half-way, with a structure held and another one decided on: the same trades come of it."""
    settings = load((), GIVEN | {"venue.data_dir": str(tmp_path)}, {}, None).settings
    prepared = await prepared_coin(settings, "BTC", Hooks())
    backtest, runs = CoinBacktest.new(settings, "BTC", prepared, ""), MemoryBacktestRuns()
    ticks: list[bool] = []

    async def proceed() -> bool:
        ticks.append(True)
        return len(ticks) <= 66

    part = await keep_run(backtest, await run_styles(backtest, Hooks(proceed=proceed)), runs)
    again = to_resume(settings, part, prepared)
    whole = await keep_run(again, await run_styles(again, Hooks(), part), runs)

    assert part.summary.status is RunStatus.STOPPED
    assert 0 < len(trades_of(part)) < len(trades_of(whole))
    assert whole.results[0].trades_hash == calm.results[0].trades_hash
    assert whole.results[0].omissions == calm.results[0].omissions


async def test_the_same_seed_gives_the_same_trades(calm: BacktestRun, tmp_path: Path) -> None:
    """And deciding on the very snapshot that is traded at gives others."""
    again = await ran(tmp_path / "again")
    at_once = await ran(tmp_path / "at-once", **{"backtest.backtest_latency": "same"})

    assert again.results[0].trades_hash == calm.results[0].trades_hash
    assert at_once.results[0].trades_hash != calm.results[0].trades_hash


def backtest(folder: Path, *options: str) -> Ended:
    period = ("--from", "2025-02-05", "--to", "2025-02-16", "--coins", "BTC", "--seed", "1")
    step = ("--set", "backtest.backtest_interval_minutes=480")
    words = ("backtest", "run", "--market", "synthetic", *period, *step, *options)
    return options_agent(*words, "--set", f"venue.data_dir={folder}", cwd=folder)


@pytest.mark.parametrize("options", [("--strategy", "gregbot"), ("--style", "gregbot_managed")])
def test_strategy_and_exits_imply_each_other(tmp_path: Path, options: tuple[str, str]) -> None:
    """Either option alone runs both, and the result says by which rules."""
    ended = backtest(tmp_path, *options)
    told = json.loads(backtest(tmp_path, *options, "--json").stdout)["runs"][0]

    assert ended.returncode == 0, ended.stderr
    assert "gregbot_managed, BTC" in ended.stdout
    assert "not hedged" in told["run"]["labels"]["entry"]
    assert told["run"]["strategy_id"] == "gregbot"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--strategy", "gregbot", "--engine", "fast"), "--engine tick"),
        (("--strategy", "gregbot", "--style", "hold_to_expiry"), "gregbot_managed is how gregbot"),
        (("--strategy", "call_rule_v1", "--style", "gregbot_managed"), "nothing else does"),
        (("--strategy", "covered_call_v1", "--style", "gregbot_managed"), "nothing else does"),
    ],
)
def test_what_does_not_go_together_is_misuse(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    """One sentence says what would."""
    ended = backtest(tmp_path, *options)

    assert ended.returncode == 2, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_days_and_deltas_of_calls_do_not_count(tmp_path: Path) -> None:
    """Who gives them is told so, and nothing else changes."""
    plain = backtest(tmp_path, "--strategy", "gregbot", "--json")
    given = ("--target-delta", "0.4", "--target-dte", "14")
    told = backtest(tmp_path, "--strategy", "gregbot", *given, "--json")
    hashes = [
        json.loads(each.stdout)["runs"][0]["results"][0]["trades_hash"] for each in (plain, told)
    ]

    assert hashes[0] == hashes[1]
    assert "--target-delta does not count" in told.stderr
    assert "--target-dte does not count" in told.stderr


@pytest.mark.parametrize("preset", ["CUSTOM", "AGGRESSIVE"])
def test_no_setting_lets_anything_but_calls_be_opened(tmp_path: Path, preset: str) -> None:
    """The limits of the agent and of backtests of calls keep control 11, whatever is set."""
    given = GIVEN | {"backtest.backtest_preset": preset, "venue.data_dir": str(tmp_path)}
    settings = load((), given, {}, None).settings

    assert risk_limits(settings).structured == frozenset()
    assert backtest_desk_params(settings, "BTC").limits.structured == frozenset()
