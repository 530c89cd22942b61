"""
Agent and exchange as two processes, and one of them dies; `scripts/crash --venue exchange` does
the same hundreds of times.
"""

from pathlib import Path

from tests.support import crash_judge, crash_lives, crash_stops, crash_switches
from tests.support.crash_processes import AgentProcess, ExchangeProcess


def test_a_killed_agent_converges_with_its_exchange(tmp_path: Path) -> None:
    """After SIGKILLs at random instants, book and exchange agree and no label has two orders."""
    life = crash_lives.live(tmp_path, kills=4, seed=11)

    assert life.findings.violations == ()
    assert life.findings.doubled == 0
    assert life.findings.starts >= 3
    assert life.findings.fills >= 2


def test_nothing_is_opened_behind_a_kill_switch(tmp_path: Path) -> None:
    """By command or file: only what was in flight arrives, and two ticks later nothing works."""
    throws = crash_switches.thrown(tmp_path, count=2, seed=5)

    assert [each.violations for each in throws] == [(), ()]


def test_an_agent_outlives_its_exchange_and_ends_in_order(tmp_path: Path) -> None:
    """The exchange is killed and comes back: the agent goes on, and SIGTERM ends it within 5 s,
    with its openings cancelled and its journal closed."""
    exchange = ExchangeProcess(tmp_path)
    agent = AgentProcess(tmp_path, exchange.port, ("--interval", "2"))
    exchange.start()
    try:
        agent.start()
        agent.until_written(("Marked",))
        exchange.kill()
        agent.until_written(("Alarm",))
        exchange.start()
        agent.until_written(("Marked",), 2)
        crash_stops.end(agent)
        left = crash_judge.working_openings(exchange)
        found = crash_judge.judged(
            agent.book, exchange.log_directory, crash_judge.told_by(exchange)
        )
    finally:
        agent.kill_if_alive()
        exchange.kill()

    assert left == []
    assert found.violations == ()
    assert found.orders > 0
