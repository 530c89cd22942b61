"""
Kill an agent with SIGKILL at random instants and prove that nothing is doubled or lost.

`scripts/crash --kills 200` kills a replay, which has its venue in the same process, and compares
it with one that is left alone. With `--venue exchange` the exchange is another process, which
lives on. The suite runs a small slice of both.
"""

import argparse
import asyncio
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.venue_log import FileVenueLog
from core.analysis.trading_report import holdings_lines
from core.execution.book import fold
from ports.decision_log import Closed, Entry, Sent
from ports.positions import Book
from ports.venue_log import VenueStep
from tests.support import crash_lives, crash_stops, crash_switches

_POLL_S = 0.0005
_LONGEST_RUN_S = 300.0


@frozen
class Result:
    """What came of a run: the economic content of its book, and every violation found."""

    kills: int
    holdings: tuple[str, ...]
    violations: tuple[str, ...]


def undisturbed(replay: Sequence[str], data_dir: Path) -> Result:
    """Run *replay*, the arguments of `run`, to its end in *data_dir*."""
    subprocess.run(_command(replay, data_dir), check=True, capture_output=True)
    return judged(data_dir, kills=0)


def killed(replay: Sequence[str], data_dir: Path, kills: int, whole: int, seed: int) -> Result:
    """
    Run *replay* in *data_dir* to its end, killed on the way *kills* times; an undisturbed run
    writes *whole* bytes.

    A kill comes after a random number of bytes written since the start, or a random moment
    before anything is written: starting up is part of what must survive.
    """
    chance = random.Random(seed)
    step = max(int(0.7 * whole / kills), 1)  # so that the run lasts longer than the kills
    done = 0
    while True:
        process = subprocess.Popen(
            _command(replay, data_dir), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done == kills:
            _, said = process.communicate(timeout=_LONGEST_RUN_S)
            if process.returncode != 0:
                raise RuntimeError(f"the run ended with {process.returncode}: {said.decode()}")
            return judged(data_dir, done)
        _wait_for_moment(process, data_dir, chance, step)
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode == 0:
            return judged(data_dir, done)
        if process.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the run ended with {process.returncode}: {said.decode()}")
        done += 1


def _wait_for_moment(
    process: subprocess.Popen[bytes], data_dir: Path, chance: random.Random, step: int
) -> None:
    started_at = written(data_dir)
    if chance.random() < 0.05:
        time.sleep(chance.uniform(0.0, 1.5))
        return
    target = started_at + chance.randint(1, 2 * step)
    deadline = time.monotonic() + _LONGEST_RUN_S
    while process.poll() is None and written(data_dir) < target:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no progress within {_LONGEST_RUN_S} s")
        time.sleep(_POLL_S)
    time.sleep(chance.uniform(0.0, 0.004))


def written(data_dir: Path) -> int:
    """Bytes of every journal and venue log below *data_dir*."""
    files = [*data_dir.glob("paper-replay/*/journal/*"), *data_dir.glob("paper-replay/*/venue/*")]
    return sum(file.stat().st_size for file in files if file.suffix == ".jsonl")


def _command(replay: Sequence[str], data_dir: Path) -> list[str]:
    agent = [sys.executable, "-m", "apps.cli.main", "run", "--market", "replay"]
    return [*agent, "--data-dir", str(data_dir), *replay]


def judged(data_dir: Path, kills: int) -> Result:
    """What came of the run in *data_dir* that was killed *kills* times."""
    (book_dir,) = data_dir.glob("paper-replay/*")
    entries, steps = asyncio.run(_read(book_dir))
    book = fold(Book(environment="paper-replay"), entries)
    return Result(kills, holdings_lines(book), tuple(_violations(entries, steps, book)))


async def _read(book_dir: Path) -> tuple[list[Entry], list[VenueStep]]:
    log = FileDecisionLog(Disk(), book_dir / "journal")
    venue = FileVenueLog(Disk(), book_dir / "venue")
    entries = [record.entry async for record in log.records()]
    return entries, [step async for step in venue.steps()]


def _violations(entries: Sequence[Entry], steps: Sequence[VenueStep], book: Book) -> list[str]:
    """Where the journal and the venue's own log contradict each other or themselves."""
    sent = Counter(entry.intent.label for entry in entries if isinstance(entry, Sent))
    placed = Counter(
        {order.label: order.order_id for step in steps for order in step.orders}.keys()
    )
    ids = {(order.label, order.order_id) for step in steps for order in step.orders}
    per_label = Counter(label for label, _ in ids)
    found = [f"label {label} was sent {count} times" for label, count in sent.items() if count > 1]
    found += [f"label {label} has {n} orders" for label, n in per_label.items() if n > 1]
    found += [f"order {label} was never written down" for label in placed if label not in sent]
    held: Counter[str] = Counter()
    for step in steps:
        for fill in step.fills:
            held[fill.contract.symbol] += round(fill.side.sign * fill.amount * 10)
        for delivery in step.deliveries:
            held[delivery.contract.symbol] -= round(delivery.size * 10)
    ours: Counter[str] = Counter()
    for position in book.positions.values():
        for leg in position.legs:
            ours[leg.contract.symbol] += round(leg.size * 10)
    for symbol in sorted(held.keys() | ours.keys()):
        if held[symbol] != ours[symbol]:
            found.append(f"{symbol}: the venue holds {held[symbol]}, the book {ours[symbol]}")
    if not isinstance(entries[-1], Closed):
        found.append("the journal does not end with Closed")
    return found


def main() -> None:
    """Kill what the arguments describe; exit 1 on any violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venue", choices=("paper", "exchange"), default="paper")
    parser.add_argument("--kills", type=int, default=None, help="200 of a replay")
    parser.add_argument("--switches", type=int, default=0, help="kill switches; exchange only")
    parser.add_argument("--stops", type=int, default=0, help="in real time; exchange only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="lives at a time; exchange only")
    parser.add_argument("replay", nargs="*", help="arguments of `options-agent run`, behind --")
    given = parser.parse_args()
    if given.venue == "exchange":
        sys.exit(0 if _over_the_wire(given) else 1)
    sys.exit(0 if _replayed(given.replay, given.kills or 200, given.seed) else 1)


def _over_the_wire(given: argparse.Namespace) -> bool:
    """Whether all that was asked for went well; if not, what is left can be looked at."""
    folder, seed, went_well = Path(tempfile.mkdtemp(prefix="crash-")), given.seed, True
    print(f"in {folder}, which is kept if anything is wrong", flush=True)
    if given.kills:
        lives = crash_lives.lives(folder, given.kills, seed, given.jobs)
        went_well &= crash_lives.report(lives)
    if given.switches:
        went_well &= crash_switches.report(crash_switches.thrown(folder, given.switches, seed))
    if given.stops:
        went_well &= crash_stops.report(crash_stops.lives(folder, given.stops, seed))
    if went_well:
        shutil.rmtree(folder)
    return went_well


def _replayed(replay: Sequence[str], kills: int, seed: int) -> bool:
    """Whether *replay* ends with the same book when it is killed on the way."""
    with tempfile.TemporaryDirectory() as folder:
        calm = undisturbed(replay, Path(folder) / "calm")
        whole = written(Path(folder) / "calm")
        rough = killed(replay, Path(folder) / "rough", kills, whole, seed)
    for violation in (*calm.violations, *rough.violations):
        print(f"violation: {violation}")
    for line in sorted(set(calm.holdings) ^ set(rough.holdings)):
        print(f"differs {'in the calm run' if line in calm.holdings else 'when killed'}: {line}")
    agrees = calm.holdings == rough.holdings and not (calm.violations or rough.violations)
    print(f"{rough.kills} kills, final book {'equal' if agrees else 'NOT EQUAL'}")
    return agrees


if __name__ == "__main__":
    main()
