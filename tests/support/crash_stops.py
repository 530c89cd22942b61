"""An agent in real time that is stopped, loses its exchange for a while, and is asked to end."""

import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.support.crash_judge import Findings, judged, told_by, working_openings
from tests.support.crash_processes import (
    IN_A_TICK,
    AgentProcess,
    ExchangeProcess,
    Unexpected,
    pause,
)

_EVERY_TWO_S = ("--interval", "2")
_STALE_S = (5.5, 8.0)  # longer than an order is valid, shorter than the watchdog waits
_SILENT_S = 12.0  # longer than it waits, which is 10 s or three intervals
_AWAY_S = 3.0  # that the exchange is dead
_LONGEST_END_S = 5.0
_STOPS_A_LIFE = 3  # the first in the midst of sending, the last too long
_SHORT_LIVED = {"order_ttl_sec": "10"}
_FULL_TICK = ("Marked",)  # the last thing of a tick that has read market and account


@frozen(kw_only=True)
class Life:
    """One life in real time."""

    stops: int
    end_s: float  # from SIGTERM to the end
    findings: Findings
    violations: tuple[str, ...]


def live(folder: Path, stops: int, seed: int) -> Life:
    """
    Let an agent trade in *folder*: stop it *stops* times for longer than its orders are valid,
    once for longer than the watchdog waits, kill the exchange and start it again, and then ask
    the agent to end.
    """
    chance, violations = random.Random(seed), []
    exchange = ExchangeProcess(folder)
    agent = AgentProcess(folder, exchange.port, _EVERY_TWO_S, _SHORT_LIVED)
    exchange.start()
    try:
        agent.start()
        for number in range(stops):
            if number == 0:
                agent.until_written(("Sent",))  # of its first tick; who knows when the next is
            else:
                agent.until_written(IN_A_TICK, chance.randint(1, 10))
            pause(chance.uniform(0.0, 0.01))
            _stop(agent, chance.uniform(*_STALE_S))
            agent.until_written(_FULL_TICK)
        _stop(agent, _SILENT_S)
        agent.until((agent.book / "KILL").exists, "the watchdog wrote no KILL file")
        agent.until_written(("Ticked",), 2)
        violations += [f"{each} works behind the kill" for each in working_openings(exchange)]
        exchange.kill()
        pause(_AWAY_S)
        exchange.start()
        agent.until_written(_FULL_TICK, 2)
        end_s = end(agent)
        findings = judged(agent.book, exchange.log_directory, told_by(exchange))
    finally:
        agent.kill_if_alive()
        exchange.kill()
    return Life(
        stops=stops + 1,
        end_s=end_s,
        findings=findings,
        violations=(*violations, *findings.violations),
    )


def lives(folder: Path, stops: int, seed: int) -> list[Life]:
    """*stops* shared out among lives, each in a folder in *folder*."""
    told = []
    for first in range(0, stops, _STOPS_A_LIFE):
        each = folder / f"stopped-{first}"
        each.mkdir()
        told.append(live(each, min(_STOPS_A_LIFE, stops - first) - 1, seed + first))
    return told


def _stop(agent: AgentProcess, seconds: float) -> None:
    agent.signal(signal.SIGSTOP)
    pause(seconds)
    agent.new_kinds()
    agent.signal(signal.SIGCONT)


def end(agent: AgentProcess) -> float:
    """Ask the agent to end; the seconds that took."""
    asked_at_s = time.monotonic()
    agent.signal(signal.SIGTERM)
    if (code := agent.ended(_LONGEST_END_S)) != 0:
        raise Unexpected(f"the agent ended with {code}: {agent.last_words()}")
    return time.monotonic() - asked_at_s


def report(told: Sequence[Life]) -> bool:
    """Print what came of the lives; whether nothing was wrong."""
    for number, life in enumerate(told):
        for violation in life.violations:
            print(f"violation in life {number}: {violation}")
    violations = sum(len(life.violations) for life in told)
    print(
        f"{sum(life.stops for life in told)} stops in {len(told)} lives, "
        f"{sum(life.findings.orders for life in told)} orders, "
        f"ended {max(life.end_s for life in told):.2f} s after SIGTERM at the latest, "
        f"{violations} violations"
    )
    return not violations
