"""The judge of killed agents finds each thing that can be wrong, in files written by hand."""

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.crash_judge import judged

CALL, AT = "BTC-3JUN25-94000-C", "2025-06-02T00:00:00.000000Z"
Said: TypeAlias = dict[str, Any]


class Left:
    """What a good life leaves: a call sold by one order, in two trades."""

    def __init__(self) -> None:
        self.order: Said = {"label": "a", "order_id": "BTC-1", "created_at": AT}
        self.fills: list[Said] = [
            {"trade_id": name, "contract": CALL, "side": "sell", "amount": 0.1}
            for name in ("T1", "T2")
        ]
        self.held = {CALL: -0.2}
        intent = {"label": "a", "valid_until": AT}
        self.journal: list[Said] = [
            {"type": "Sent", "intent": intent},
            {"type": "OrderUpdated", "fills": self.fills[:1]},
            {"type": "Opened"},
            {"type": "OrderUpdated", "fills": self.fills[1:]},
            {"type": "Closed"},
        ]
        self.venue: list[Said] = [
            {"type": "VenueStep", "orders": [self.order], "fills": self.fills, "deliveries": []}
        ]
        self.state = "filled"
        self.told = Counter({CALL: -2})
        self.behind = ""  # what stands behind the journal's last line

    def violations(self, folder: Path) -> tuple[str, ...]:
        """What the judge says of it."""
        checksum = _write(folder / "journal" / "journal-20250602-00000001.jsonl", self.journal)
        _write(folder / "venue" / "venue-20250602-00000001.jsonl", self.venue)
        with next((folder / "journal").iterdir()).open("a") as file:
            file.write(self.behind)
        legs = [{"contract": name, "size": size} for name, size in self.held.items()]
        book = {"positions": {"p": {"legs": legs}}, "orders": {"a": {"state": self.state}}}
        saved = {"book": book, "seq": len(self.journal), "journal_checksum": checksum}
        (folder / "positions.json").write_text(json.dumps(saved))
        return judged(folder, folder / "venue", self.told).violations


def _write(path: Path, payloads: list[Said]) -> str:
    """Write sealed lines; returns the last checksum."""
    path.parent.mkdir()
    checksum, lines = "", []
    for number, payload in enumerate(payloads, 1):
        at = f'{{"at":"{AT}",'
        rest = json.dumps({"kind": payload["type"], "payload": payload, "seq": number})[1:]
        checksum = sha256(f"{checksum}{at}{rest}".encode()).hexdigest()
        lines.append(f'{at}"checksum":"{checksum}",{rest}\n')
    path.write_text("".join(lines))
    return checksum


def _second_order(left: Left) -> None:
    left.venue[0]["orders"].append(left.order | {"order_id": "BTC-2"})


def _sent_twice(left: Left) -> None:
    left.journal.insert(0, left.journal[0])


def _never_written_down(left: Left) -> None:
    left.venue[0]["orders"].append({"label": "b", "order_id": "BTC-2", "created_at": AT})


def _taken_too_late(left: Left) -> None:
    left.order["created_at"] = AT.replace("00:00:00", "00:00:06")


def _counted_twice(left: Left) -> None:
    left.journal.insert(1, left.journal[1])


def _trade_forgotten(left: Left) -> None:
    left.journal[3]["fills"] = []


def _book_apart(left: Left) -> None:
    left.held[CALL] = -0.1


def _exchange_apart(left: Left) -> None:
    left.told[CALL] = -1


def _in_doubt(left: Left) -> None:
    left.state = "unknown"


def _halted(left: Left) -> None:
    left.journal.insert(3, {"type": "Halted", "reason": "mismatch"})


def _not_closed(left: Left) -> None:
    left.journal.pop()


def _torn(left: Left) -> None:
    left.behind = '{"at":"'


def test_a_good_end_is_found_good(tmp_path: Path) -> None:
    """Nothing is found where nothing is wrong."""
    assert Left().violations(tmp_path) == ()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_second_order, "a has 2 orders"),
        (_sent_twice, "a was sent 2 times"),
        (_never_written_down, "order b was never written down"),
        (_taken_too_late, "a was taken at 2025-06-02T00:00:06.000000Z, too late"),
        (_counted_twice, "T1: 1 times at the exchange, 2 in the journal"),
        (_trade_forgotten, "T2: 1 times at the exchange, 0 in the journal"),
        (_book_apart, "positions.json has -1"),
        (_exchange_apart, "the exchange has -1"),
        (_in_doubt, "a is in doubt"),
        (_halted, "halted: mismatch"),
        (_not_closed, "the journal ends with OrderUpdated"),
        (_torn, "line 6 is not whole"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, spoil: Callable[[Left], None], said: str) -> None:
    """Each way to spoil a good end is told by name."""
    left = Left()
    spoil(left)

    assert any(said in each for each in left.violations(tmp_path))


def test_a_changed_line_breaks_its_seal(tmp_path: Path) -> None:
    """A byte that was changed afterwards does not have the checksum of its line."""
    left = Left()
    left.violations(tmp_path)
    journal = next((tmp_path / "journal").iterdir())
    journal.write_text(journal.read_text().replace('"amount": 0.1', '"amount": 0.2', 1))

    found = judged(tmp_path, tmp_path / "venue", left.told).violations
    assert any("the checksum of line 2 is wrong" in each for each in found)
