"""`run` with hedging: what the scheduler says on a terminal, in the journal and in the log."""

import json
from pathlib import Path

import pytest

from core.greg.catalogue import STRATEGY_ID, StrategyCode
from tests.support.command_line import options_agent
from tests.support.folders import payloads
from tests.support.past_risk import sell_past_risk
from tests.support.wire_processes import address, free_port

POSITION = f"greg-{StrategyCode.STRADDLE}-1"
BOOK = Path("data") / "paper-synthetic-seed7"
COIN = ("--set", 'venue.underlyings=["BTC"]')
WANTED = (*COIN, "--set", "hedge.hedge_enabled=true")
LOOSE = {
    "venue.underlyings": '["BTC"]',
    "policy.default_order_size": "1.0",
    "risk.liquidity_max_spread_pct": "90",
    "risk.liquidity_min_open_interest": "0",
}


@pytest.fixture
def leaning(tmp_path: Path) -> Path:
    """A folder whose paper book holds a short call of Greg's, deep in the money: it leans."""
    sell_past_risk(tmp_path, LOOSE, STRATEGY_ID, POSITION, amount=0.5)
    return tmp_path


def test_run_says_what_it_would_hedge_and_sends_nothing(leaning: Path) -> None:
    """One line on the terminal, in the journal and in the log, with the gate that is closed."""
    ran = options_agent("run", "--ticks", "2", "--interval", "1", *WANTED, cwd=leaning)
    scheduled = [
        each["entry"]
        for each in payloads(leaning / BOOK, "GregNoted")
        if each["entry"]["extra_info"].get("scheduled")
    ]
    log = json.loads(options_agent("greg", "log", "--json", *COIN, cwd=leaning).stdout)

    assert ran.returncode == 0, ran.stderr
    assert "greg hedge of greg-STRATEGY_A_STRADDLE-1: would buy 0." in ran.stdout
    assert "advice only" in ran.stdout
    assert [(each["action_type"], each["executed"]) for each in scheduled] == [("HEDGE", False)]
    assert [each["action_type"] for each in log["decisions"]].count("HEDGE") >= 1
    sent = [each["intent"]["contract"] for each in payloads(leaning / BOOK, "Sent")]
    assert not any("PERPETUAL" in contract for contract in sent)


def test_an_invented_market_is_not_hedged_on_paper_either(leaning: Path) -> None:
    """The mode lets it pass, the market does not: the gate is named."""
    ran = options_agent(
        *("run", "--ticks", "1", "--interval", "1"),
        *(*WANTED, "--set", "greg.greg_trading_mode=paper"),
        cwd=leaning,
    )

    assert "its sensors are synthetic" in ran.stdout


def test_without_the_setting_nobody_looks(leaning: Path) -> None:
    """It is off unless it is wanted."""
    ran = options_agent("run", "--ticks", "1", "--interval", "1", *COIN, cwd=leaning)

    assert ran.returncode == 0
    assert "greg hedge of" not in ran.stdout
    assert payloads(leaning / BOOK, "GregNoted") == []


def test_the_exchange_tells_the_grid_of_its_perpetual(tmp_path: Path) -> None:
    """Where hedges are wanted `run` asks the venue for it, and trades on as before."""
    ran = options_agent(
        *("run", "--venue", "exchange", *address(free_port())),
        *("--ticks", "1", "--interval", "1", *WANTED),
        cwd=tmp_path,
    )
    (book,) = (tmp_path / "data").glob("exchange-*")

    assert ran.returncode == 0, ran.stderr
    assert len(payloads(book, "Ticked")) == 1
