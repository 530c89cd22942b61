"""Lives of an agent that is killed again and again while its exchange, elsewhere, goes on."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum, auto
from pathlib import Path

from attrs import define, field, frozen

from tests.support.crash_judge import Findings, judged, told_by
from tests.support.crash_logs import Tail
from tests.support.crash_processes import (
    IN_A_TICK,
    STEPPED,
    AgentProcess,
    ExchangeProcess,
    Unexpected,
    pause,
)

FIRST_INSTANT = "2025-06-02T00:00:00"
HOURLY = (
    *("--clock", "stepped", "--from", "2025-06-02", "--to", "2025-12-31"),
    *("--interval", "3600"),
)
_CALM_TICKS = "3"  # within so many all must be in order again
_LINES = 15  # of the journal: some ticks
_LONGEST_START_S = 4.0  # a start is killed within this


class Moment(StrEnum):
    """When a process is killed."""

    STARTING = auto()  # any time from its first instruction on
    ANY_TIME = auto()  # after it was ready
    WRITING = auto()  # just behind a line of its journal
    SENDING = auto()  # just behind the line that says an order is being sent
    ANSWERED = auto()  # just when the exchange has written down an order, or a trade


@frozen
class Ready:
    """How long a start took until the first line of its first tick was in the journal."""

    wall_s: float
    cpu_s: float  # of the agent's process


@frozen
class Life:
    """One life, from its first start to its last."""

    kills: int
    ready: tuple[Ready, ...]
    findings: Findings


def live(folder: Path, kills: int, seed: int) -> Life:
    """Let an agent and an exchange live in *folder*; the agent is killed *kills* times."""
    exchange = ExchangeProcess(folder, STEPPED)
    agent = AgentProcess(folder, exchange.port, HOURLY)
    life = _Rough(agent, exchange, random.Random(seed))
    exchange.start("--start", FIRST_INSTANT)
    try:
        for _ in range(kills):
            life.start_and_kill()
            life.let_time_pass()
        agent.start("--ticks", _CALM_TICKS)
        if (code := agent.ended()) != 0:
            raise Unexpected(f"the agent ended with {code}: {agent.last_words()}")
        return Life(
            kills, tuple(life.ready), judged(agent.book, exchange.log_directory, told_by(exchange))
        )
    finally:
        agent.kill_if_alive()
        exchange.kill()


def lives(folder: Path, kills: int, seed: int, jobs: int) -> list[Life]:
    """*kills* shared out among *jobs* lives at the same time, each in a folder in *folder*."""
    shares = [kills // jobs + (job < kills % jobs) for job in range(jobs)]
    folders = [folder / f"life-{job}" for job in range(jobs)]
    for each in folders:
        each.mkdir()
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(live, folders, shares, range(seed, seed + jobs)))


@define(eq=False)
class _Rough:
    """A life that is under way."""

    agent: AgentProcess
    exchange: ExchangeProcess
    chance: random.Random
    ready: list[Ready] = field(factory=list)

    def start_and_kill(self) -> None:
        """Start the agent and kill it at a moment that is chosen before."""
        moment = self.chance.choice(list(Moment))
        self.agent.new_kinds()
        began_at_s = time.monotonic()
        self.agent.start()
        if moment is Moment.STARTING:
            pause(self.chance.uniform(0.0, _LONGEST_START_S))
        else:
            self.agent.until_written(IN_A_TICK)
            self.ready.append(Ready(time.monotonic() - began_at_s, self.agent.cpu_s()))
            self._reach(moment)
        self.agent.kill()

    def let_time_pass(self) -> None:
        """Before the next start hours may pass, with fills and expiries, or the exchange die."""
        if not self.agent.has_begun:
            return  # a book begins when its first tick is due, or never
        what = self.chance.random()
        if what < 0.15:
            self.exchange.call("paper/advance", seconds=3600 * self.chance.randint(1, 30))
        elif what < 0.25:
            now = time.gmtime(self.exchange.call("public/get_time") / 1000)
            self.exchange.kill()
            self.exchange.start("--start", time.strftime("%Y-%m-%dT%H:%M:%S", now))

    def _reach(self, moment: Moment) -> None:
        if moment is Moment.ANY_TIME:
            pause(self.chance.uniform(0.0, 1.0))
            return
        if moment is Moment.ANSWERED:
            log = Tail(self.exchange.log_directory, "venue")
            log.new()
            self.agent.until(lambda: bool(log.new()), "the exchange wrote nothing down")
        elif moment is Moment.SENDING:
            self.agent.until_written(("Sent",))
        else:
            self.agent.until_written(IN_A_TICK, self.chance.randint(1, _LINES))
        pause(self.chance.uniform(0.0, 0.01))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of *values* that at least *share* of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-int(share * 100) * len(ordered) // 100) - 1, 0)]


def report(told: Sequence[Life]) -> bool:
    """Print what came of the lives; whether nothing was wrong."""
    findings = [life.findings for life in told]
    for number, each in enumerate(findings):
        for violation in each.violations:
            print(f"violation in life {number}: {violation}")
    ready = [each for life in told for each in life.ready]
    print(
        f"{sum(life.kills for life in told)} kills in {len(told)} lives, "
        f"{sum(each.ticks for each in findings)} ticks, "
        f"{sum(each.orders for each in findings)} orders, "
        f"{sum(each.fills for each in findings)} fills, "
        f"{sum(each.deliveries for each in findings)} deliveries, "
        f"{sum(each.cut_sends for each in findings)} orders cut while sent"
    )
    if ready:
        wall, cpu = [each.wall_s for each in ready], [each.cpu_s for each in ready]
        for name, figures in (("by the clock", wall), ("of processor", cpu)):
            half, most = percentile(figures, 0.5), percentile(figures, 0.95)
            print(f"ready, {name}: p50 {half:.2f} s, p95 {most:.2f} s, max {max(figures):.2f} s")
    print(
        f"{sum(each.doubled for each in findings)} duplicates, "
        f"{sum(len(each.violations) for each in findings)} violations"
    )
    return not any(each.violations for each in findings)
