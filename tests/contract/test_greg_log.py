"""What every GregDecisionLog promises."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.greg_log import MemoryGregLog
from adapters.postgres.greg_decision_log import DatabaseGregLog
from ports.greg_log import (
    REPEAT_AFTER,
    SYSTEM,
    ActionStats,
    GregAction,
    GregDecisionLog,
    GregEntry,
    GregFilter,
    GregStats,
    StrategyStats,
)
from tests.support import databases

AT = datetime(2026, 5, 1, 8, 30, 0, 123_456, tzinfo=UTC)
STRADDLE, PUT = "STRATEGY_A_STRADDLE", "STRATEGY_C_SHORT_PUT"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[GregDecisionLog]:
    if request.param == "memory":
        yield MemoryGregLog()
        return
    url = databases.sqlite(tmp_path) if request.param == "sqlite" else databases.postgres(tmp_path)
    with databases.opened(url) as database:
        await database.check_schema()
        yield DatabaseGregLog(database)


def entry(**changes: Any) -> GregEntry:
    """A suggestion to hedge."""
    fields: dict[str, Any] = {
        "timestamp": AT,
        "underlying": "BTC",
        "strategy_type": STRADDLE,
        "position_id": "sandbox_BTC_straddle_0a1b2c3d",
        "action_type": GregAction.HEDGE,
        "mode": "advice_only",
        "reason": "net delta 0.21 beyond 0.15",
        "priority": "medium",
        "vrp_30d": 0.1 + 0.2,
        "skew_25d": 0.0,
        "net_delta": 0.21,
        "pnl_pct": -0.25,
    }
    return GregEntry(**{**fields, **changes})


def done(**changes: Any) -> GregEntry:
    """The same as a person carried it out."""
    extra = {"dry_run": False, "environment": "mainnet"}
    sent: dict[str, Any] = {
        "executed": True,
        "mode": "live",
        "order_ids": ("USDC-1", "2"),
        "extra_info": extra,
    }
    return entry(**{**sent, **changes})


async def entries(log: GregDecisionLog, **wanted: Any) -> list[GregEntry]:
    return [record.entry for record in await log.history(GregFilter(**wanted))]


async def test_an_entry_comes_back_as_it_was(log: GregDecisionLog) -> None:
    """Zero as zero, an unknown sensor as None, order ids and extras whole."""
    full = done(extra_info={"dry_run": True, "legs": [{"size": 0.1}], "note": "ünïcode"})
    record = await log.append(full)

    assert (await log.history())[0] == record
    assert record.entry == full
    assert (full.skew_25d, full.adx_14d) == (0.0, None)


async def test_what_is_no_number_is_unknown(log: GregDecisionLog) -> None:
    """NaN and infinities become None on entry."""
    await log.append(entry(vrp_30d=nan, spot_price=inf))

    assert [(each.vrp_30d, each.spot_price) for each in await entries(log)] == [(None, None)]


async def test_history_comes_newest_first(log: GregDecisionLog) -> None:
    """By instant, then by number; at most so many."""
    hour = timedelta(hours=1)
    for at, name in ((AT, "b"), (AT - hour, "a"), (AT, "c"), (AT + hour, "d")):
        await log.append(entry(timestamp=at, position_id=name))

    assert [each.position_id for each in await entries(log)] == ["d", "c", "b", "a"]
    short = await log.history(limit=2)
    assert [record.entry.position_id for record in short] == ["d", "c"]


async def test_a_hundred_entries_come_unless_told(log: GregDecisionLog) -> None:
    """The default limit is 100; None is all."""
    for number in range(101):
        await log.append(entry(position_id=str(number)))

    assert len(await log.history()) == 100
    assert len(await log.history(limit=None)) == 101


async def test_history_is_filtered(log: GregDecisionLog) -> None:
    """By coin, strategy, position and instants, both of them included."""
    later = AT + timedelta(microseconds=1)
    await log.append(entry(position_id="1"))
    await log.append(entry(position_id="2", underlying="ETH", timestamp=later))
    await log.append(entry(position_id="3", strategy_type=PUT))

    for wanted, expected in (
        ({"underlying": "ETH"}, ["2"]),
        ({"strategy_type": PUT}, ["3"]),
        ({"position_id": "1"}, ["1"]),
        ({"start": later}, ["2"]),
        ({"end": AT}, ["3", "1"]),
        ({"start": AT, "end": AT, "underlying": "BTC"}, ["3", "1"]),
        ({"underlying": "SOL"}, []),
    ):
        assert [each.position_id for each in await entries(log, **wanted)] == expected


async def test_a_suggestion_is_not_repeated(log: GregDecisionLog) -> None:
    """The same action of the same priority says nothing new for six hours."""
    assert await log.suggest(entry()) is not None
    assert await log.suggest(entry(reason="0.22", timestamp=AT + timedelta(minutes=5))) is None
    early = AT + REPEAT_AFTER - timedelta(microseconds=1)
    assert await log.suggest(entry(timestamp=early)) is None
    assert await log.suggest(entry(timestamp=AT + REPEAT_AFTER)) is not None

    assert len(await log.history()) == 2


@pytest.mark.parametrize("change", [{"action_type": GregAction.CLOSE}, {"priority": "high"}])
async def test_a_changed_suggestion_is_news(log: GregDecisionLog, change: dict[str, Any]) -> None:
    """Another action or another priority is kept at once, and so is the way back."""
    await log.suggest(entry())
    assert await log.suggest(entry(**change)) is not None
    assert await log.suggest(entry()) is not None


async def test_positions_do_not_silence_each_other(log: GregDecisionLog) -> None:
    """Each position has its own last suggestion."""
    await log.suggest(entry(position_id="1"))

    assert await log.suggest(entry(position_id="2")) is not None


@pytest.mark.parametrize(
    "answer",
    [
        {"action_type": GregAction.IGNORE},
        {"reason": "master switch is off", "extra_info": {"refused": True}, "priority": ""},
    ],
)
async def test_an_answer_is_no_suggestion(log: GregDecisionLog, answer: dict[str, Any]) -> None:
    """A suggestion that was dismissed or refused is not said again because of that."""
    await log.suggest(entry())
    await log.append(entry(**answer))

    assert await log.suggest(entry()) is None


async def test_an_execution_marks_its_suggestion(log: GregDecisionLog) -> None:
    """The newest one that waits is marked; its figures stay as they were when it was made."""
    await log.append(entry(position_id="other"))
    first = await log.append(entry())
    second = await log.append(entry(timestamp=AT + timedelta(hours=7), net_delta=0.3))
    record = await log.execute(done(timestamp=AT + timedelta(hours=8), net_delta=0.0))

    assert record.id == second.id
    assert record.entry == done(timestamp=AT + timedelta(hours=7), net_delta=0.3)
    kept = {each.id: each.entry.executed for each in await log.history()}
    assert kept[first.id] is False
    assert sum(kept.values()) == 1


async def test_an_execution_that_nobody_suggested_is_kept(log: GregDecisionLog) -> None:
    """So is a second one behind the same suggestion, and one behind a refusal only."""
    await log.append(entry(extra_info={"refused": True}))
    await log.execute(done())
    await log.execute(done())

    assert [each.executed for each in await entries(log)] == [True, True, False]


async def test_stats_of_nothing_are_zero(log: GregDecisionLog) -> None:
    """No suggestion, no execution, no average."""
    assert await log.stats() == GregStats(
        total_suggestions=0, total_executed=0, total_dry_run=0, by_strategy={}, by_action={}
    )


async def test_stats_count_by_strategy_and_action(log: GregDecisionLog) -> None:
    """
    Dry runs apart; averages over known figures, zero among them; changes of settings left out.
    """
    await log.append(entry(pnl_pct=0.0))
    await log.append(done(pnl_pct=0.5))
    await log.append(done(pnl_pct=None, extra_info={"dry_run": True}))
    await log.append(entry(strategy_type=PUT, action_type=GregAction.CLOSE, pnl_pct=None))
    await log.append(
        done(
            underlying=SYSTEM,
            strategy_type="MODE_CHANGE",
            position_id="N/A",
            action_type=GregAction.NOTIONAL_LIMITS_UPDATE,
            suggested=False,
        )
    )

    assert await log.stats() == GregStats(
        total_suggestions=4,
        total_executed=1,
        total_dry_run=1,
        by_strategy={
            STRADDLE: StrategyStats(
                suggestions=3, executions=1, dry_run_executions=1, avg_pnl_pct=0.25
            ),
            PUT: StrategyStats(suggestions=1, executions=0, dry_run_executions=0, avg_pnl_pct=None),
        },
        by_action={
            "HEDGE": ActionStats(suggestions=3, executions=1, dry_run_executions=1),
            "CLOSE": ActionStats(suggestions=1, executions=0, dry_run_executions=0),
        },
    )


async def test_it_knows_how_far_a_journal_was_copied(log: GregDecisionLog) -> None:
    """The highest number of that journal, an execution's too; of another journal nothing."""
    assert await log.copied("a") == 0
    await log.append(entry())
    await log.suggest(entry(journal="a", journal_seq=7))
    await log.append(entry(journal="b", journal_seq=90))
    assert await log.copied("a") == 7
    await log.execute(entry(journal="a", journal_seq=9))

    assert (await log.copied("a"), await log.copied("b"), await log.copied("c")) == (9, 90, 0)


async def test_stats_are_filtered(log: GregDecisionLog) -> None:
    """Of one coin, of a span of time; without any limit on their number."""
    for number in range(120):
        await log.append(entry(underlying="ETH", position_id=str(number)))
    await log.append(entry())

    assert (await log.stats(GregFilter(underlying="ETH"))).total_suggestions == 120
    assert (await log.stats(GregFilter(start=AT + timedelta(hours=1)))).total_suggestions == 0


@pytest.mark.parametrize(
    ("name", "length"),
    [("underlying", 10), ("strategy_type", 50), ("position_id", 100), ("action_type", 32)],
)
def test_what_no_column_holds_is_refused(name: str, length: int) -> None:
    """Before a database cuts it or does not."""
    assert getattr(entry(**{name: "x" * length}), name) == "x" * length
    with pytest.raises(ValueError, match=name):
        entry(**{name: "x" * (length + 1)})
