"""The kill switch of an agent in another process, thrown at random instants while it trades."""

import random
import signal
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum, auto
from pathlib import Path
from typing import Any

from attrs import define, frozen

from tests.support.crash_judge import working_openings
from tests.support.crash_lives import FIRST_INSTANT, HOURLY
from tests.support.crash_processes import (
    IN_A_TICK,
    STEPPED,
    AgentProcess,
    ExchangeProcess,
    pause,
)
from tests.support.wire_processes import Witness, witnessed

_RESTING = {"execution_style": "patient"}  # so that there is something to cancel


class Way(StrEnum):
    """How the switch is thrown."""

    COMMAND = auto()  # options-agent kill
    FILE = auto()  # data/KILL, by hand


@frozen(kw_only=True)
class Throw:
    """One throw: what was going on, and what went wrong behind it."""

    way: Way
    was_sending: bool  # an opening was in flight: it is the first request that came behind it
    working: int  # openings at the exchange at that instant
    violations: tuple[str, ...]


def thrown(folder: Path, count: int, seed: int) -> list[Throw]:
    """Throw the switch *count* times on one agent in *folder*, released again each time."""
    exchange = ExchangeProcess(folder, STEPPED)
    exchange.start("--start", FIRST_INSTANT)
    try:
        with witnessed(exchange.port) as witness:
            agent = AgentProcess(folder, witness.own_port, HOURLY, _RESTING)
            agent.start()
            try:
                room = _Room(agent, exchange, witness, random.Random(seed))
                return [room.throw() for _ in range(count)]
            finally:
                agent.signal(signal.SIGTERM)
                agent.ended()
    finally:
        exchange.kill()


@define(eq=False)
class _Room:
    """An agent, its exchange, and the witness between them."""

    agent: AgentProcess
    exchange: ExchangeProcess
    witness: Witness
    chance: random.Random

    def throw(self) -> Throw:
        """Wait for a random instant, throw the switch, look at two ticks, and release it."""
        way = self.chance.choice(list(Way))
        self.agent.until_written(IN_A_TICK, self.chance.randint(1, 10))
        if self.chance.random() < 0.5:
            self.agent.until_written(("Sent",))
        pause(self.chance.uniform(0.0, 0.005))
        if way is Way.COMMAND:
            self.agent.says("kill", "--reason", "a random instant")
        else:
            (self.agent.folder / "data" / "KILL").touch()
        seen = len(self.witness.asked)
        self.agent.new_kinds()
        working = len(working_openings(self.exchange))
        self.agent.until_written(("Ticked",), 2)
        behind = [_raises_risk(each) for each in self.witness.asked[seen:]]
        violations = [
            f"an opening was sent as request {i}" for i in range(1, len(behind)) if behind[i]
        ]
        violations += [f"{each} still works" for each in working_openings(self.exchange)]
        self.agent.says("release", "--reason", "looked at", "--yes")
        return Throw(
            way=way,
            was_sending=behind[0],
            working=working,
            violations=tuple(violations),
        )


def _raises_risk(asked: dict[str, Any]) -> bool:
    method, params = asked["method"], asked.get("params", {})
    is_order = method in ("private/buy", "private/sell", "private/edit")
    return is_order and str(params.get("reduce_only", False)).lower() != "true"


def report(told: Sequence[Throw]) -> bool:
    """Print what came of the throws; whether nothing was wrong."""
    violations = [each for throw in told for each in throw.violations]
    for violation in violations:
        print(f"violation: {violation}")
    ways = Counter(throw.way for throw in told)
    print(
        f"{len(told)} throws ({', '.join(f'{n} by {way}' for way, n in sorted(ways.items()))}), "
        f"{sum(throw.was_sending for throw in told)} with an opening in flight, "
        f"{sum(throw.working > 0 for throw in told)} with openings at work, "
        f"{len(violations)} violations"
    )
    return not violations
