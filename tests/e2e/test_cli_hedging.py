"""`run` with hedging: what the scheduler says on a terminal, in the journal and in the log."""

import asyncio
import json
from contextlib import chdir
from datetime import timedelta
from pathlib import Path

import pytest

from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.book import files_of, locked_book, place_of
from apps.wiring.desk import opened_desk
from core.execution.orders import label_of
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.usecases.agent import put_down, recover
from core.usecases.comparing import compare
from core.usecases.desk import Desk, read
from ports.decision_log import OrderUpdated, Sent
from ports.trading import OrderIntent, Side
from tests.support.command_line import options_agent
from tests.support.folders import payloads

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
    settings = load([], LOOSE, {}, None).settings
    with chdir(tmp_path):
        asyncio.run(_sell(settings))
    return tmp_path


async def _sell(settings: Settings) -> None:
    place = place_of(settings)
    with locked_book(place, "test"):
        async with opened_desk(settings, files_of(place), lambda _: None) as desk:
            await recover(desk)
            reading = await read(desk, "BTC")
            await compare(desk, reading)
            chain, index = reading.snapshot.chain, reading.snapshot.index_usd
            row = min(
                (n for n in range(len(chain.strike)) if chain.is_call[n] and chain.bid[n] > 0.02),
                key=lambda n: abs(float(chain.strike[n]) - index),
            )
            intent = OrderIntent(
                label=label_of(STRATEGY_ID, desk.now, desk.keeper.book.counter + 1, "open"),
                strategy_id=STRATEGY_ID,
                position_id=POSITION,
                contract=chain.contract(row),
                side=Side.SELL,
                amount=0.5,
                price=float(chain.bid[row]),
                reduce_only=False,
                post_only=False,
                valid_until=desk.now + timedelta(seconds=5),
                expires_at=desk.now + timedelta(seconds=120),
            )
            await _place(desk, intent)
            await put_down(desk, "test")


async def _place(desk: Desk, intent: OrderIntent) -> None:
    """Past risk, which lets nothing be opened in the minutes around a settlement."""
    await desk.keeper.record(Sent(at=desk.now, intent=intent))
    placed = await desk.world.trading.place(intent)
    assert placed.order.filled_amount == intent.amount
    await desk.keeper.record(
        OrderUpdated(
            at=desk.now,
            label=intent.label,
            state=placed.order.state,
            order_id=placed.order.order_id,
            filled_amount=placed.order.filled_amount,
            fills=placed.fills,
            reason="",
        )
    )


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
        *("run", "--venue", "exchange", "--ticks", "1", "--interval", "1", *WANTED), cwd=tmp_path
    )
    (book,) = (tmp_path / "data").glob("exchange-*")

    assert ran.returncode == 0, ran.stderr
    assert len(payloads(book, "Ticked")) == 1
