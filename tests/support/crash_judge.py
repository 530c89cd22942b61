"""
Whether book and exchange agree after a rough life, from what both left behind.

Only JSON is read, from files and over HTTP: no code is shared with what is judged.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.support.crash_logs import Log, read_log
from tests.support.crash_processes import ExchangeProcess

_LOTS = 10  # per contract: the least step in which options are traded
_COIN = "BTC"  # that the agents of these lives trade
_IN_DOUBT = ("sent", "unknown")


@frozen(kw_only=True)
class Findings:
    """What a life was made of, and everything found wrong with its end."""

    starts: int
    ticks: int
    orders: int
    fills: int
    deliveries: int
    cut_sends: int  # orders that were under way when the agent died
    doubled: int  # labels with more than one order
    violations: tuple[str, ...]


def judged(book: Path, log_directory: Path, told: Counter[str]) -> Findings:
    """
    Judge the agent's *book*, which has been put down, against the exchange's log in
    *log_directory* and the lots that it has *told*.
    """
    journal, venue = (
        read_log(book / "journal", "journal"),
        read_log(log_directory, "venue"),
    )
    saved = json.loads((book / "positions.json").read_text())
    ids: dict[str, set[str]] = {}
    for order in venue.each("orders"):
        ids.setdefault(order["label"], set()).add(order["order_id"])
    doubled = sorted(label for label, orders in ids.items() if len(orders) > 1)
    violations = [
        *journal.faults,
        *venue.faults,
        *(f"{label} has {len(ids[label])} orders" for label in doubled),
        *_unwritten(journal, ids),
        *_stale(journal, venue),
        *_miscounted(journal, venue),
        *_apart(journal, venue, saved, told),
        *_unfinished(journal, saved),
    ]
    kinds = Counter(line["kind"] for line in journal.lines)
    return Findings(
        starts=kinds["Opened"],
        ticks=kinds["Ticked"],
        orders=len(ids),
        fills=len([*venue.each("fills")]),
        deliveries=len([*venue.each("deliveries")]),
        cut_sends=_cut_sends(journal),
        doubled=len(doubled),
        violations=tuple(violations),
    )


def told_by(exchange: ExchangeProcess) -> Counter[str]:
    """The lots that *exchange* says are held, by contract."""
    positions = exchange.call("private/get_positions", exchange.token(), currency=_COIN)
    return _lots((each["instrument_name"], each["size"]) for each in positions)


def working_openings(exchange: ExchangeProcess) -> list[str]:
    """The labels of orders that may still open a position at *exchange*."""
    orders = exchange.call(
        "private/get_open_orders_by_currency", exchange.token(), currency=_COIN, kind="option"
    )
    return [each["label"] for each in orders if not each["reduce_only"]]


def _unwritten(journal: Log, ids: dict[str, set[str]]) -> Iterator[str]:
    """Intents that were sent twice, and orders without one."""
    sent = Counter(entry["intent"]["label"] for entry in journal.of("Sent"))
    yield from (f"{label} was sent {count} times" for label, count in sent.items() if count > 1)
    yield from (f"order {label} was never written down" for label in ids if label not in sent)


def _stale(journal: Log, venue: Log) -> Iterator[str]:
    """Orders that the exchange took when they were not valid any more."""
    valid_until = {
        each["intent"]["label"]: each["intent"]["valid_until"] for each in journal.of("Sent")
    }
    for order in venue.each("orders"):
        if order["created_at"] > valid_until.get(order["label"], ""):
            yield f"{order['label']} was taken at {order['created_at']}, too late"


def _miscounted(journal: Log, venue: Log) -> Iterator[str]:
    """Trades and deliveries that are not exactly once in the journal."""
    booked = _once(_fills(journal), (each["delivery"] for each in journal.of("Delivered")))
    told = _once(venue.each("fills"), venue.each("deliveries"))
    for name in sorted(booked.keys() | told.keys()):
        if (booked[name], told[name]) != (1, 1):
            yield f"{name}: {told[name]} times at the exchange, {booked[name]} in the journal"


def _once(fills: Iterator[dict[str, Any]], deliveries: Iterator[dict[str, Any]]) -> Counter[str]:
    """How often each trade is there, and each delivery: a contract has one at most."""
    times = Counter(each["trade_id"] for each in fills)
    times.update(f"the delivery of {each['contract']}" for each in deliveries)
    return times


def _apart(journal: Log, venue: Log, saved: dict[str, Any], told: Counter[str]) -> Iterator[str]:
    """Contracts of which the four that count them do not hold the same number of lots."""
    fold = _held(_fills(journal), (each["delivery"] for each in journal.of("Delivered")))
    positions = saved["book"]["positions"].values()
    counts = {
        "the journal": fold,
        "positions.json": _lots(
            (leg["contract"], leg["size"]) for each in positions for leg in each["legs"]
        ),
        "the exchange's log": _held(venue.each("fills"), venue.each("deliveries")),
        "the exchange": told,
    }
    for name in sorted(set().union(*counts.values())):
        if len({held[name] for held in counts.values()}) > 1:
            yield f"{name}: " + ", ".join(f"{who} has {held[name]}" for who, held in counts.items())


def _unfinished(journal: Log, saved: dict[str, Any]) -> Iterator[str]:
    """What should not be there at a good end."""
    last = journal.lines[-1]
    if last["kind"] != "Closed":
        yield f"the journal ends with {last['kind']}"
    if (saved["seq"], saved["journal_checksum"]) != (last["seq"], last["checksum"]):
        yield f"positions.json is of number {saved['seq']}, the journal ends at {last['seq']}"
    orders = saved["book"]["orders"].items()
    yield from (f"{label} is in doubt" for label, each in orders if each["state"] in _IN_DOUBT)
    yield from (f"halted: {entry['reason']}" for entry in journal.of("Halted"))


def _cut_sends(journal: Log) -> int:
    kinds = [line["kind"] for line in journal.lines]
    return sum(pair == ("Sent", "Opened") for pair in pairwise(kinds))


def _fills(journal: Log) -> Iterator[dict[str, Any]]:
    return (fill for entry in journal.of("OrderUpdated") for fill in entry["fills"])


def _held(fills: Iterator[dict[str, Any]], deliveries: Iterator[dict[str, Any]]) -> Counter[str]:
    """What is held once *deliveries* have taken what they delivered."""
    signs = {"buy": 1, "sell": -1}
    bought = [(each["contract"], signs[each["side"]] * each["amount"]) for each in fills]
    return _lots([*bought, *((each["contract"], -each["size"]) for each in deliveries)])


def _lots(sizes: Any) -> Counter[str]:
    held: Counter[str] = Counter()
    for contract, size in sizes:
        held[contract] += round(size * _LOTS)
    return held
