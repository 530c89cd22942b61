"""The journal and the exchange's log as files of JSON lines, read without the product's code."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

_SEALED = re.compile(rb'(\{"at":"[^"]*",)"checksum":"([0-9a-f]{64})",(.*\})\n')


@frozen
class Log:
    """What lines say, oldest first, and where their seals do not hold."""

    lines: tuple[dict[str, Any], ...]
    faults: tuple[str, ...]

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        """What the lines of *kind* say."""
        return (line["payload"] for line in self.lines if line["kind"] == kind)

    def each(self, name: str) -> Iterator[dict[str, Any]]:
        """Every item of the lists *name* in all lines that have one."""
        return (item for line in self.lines for item in line["payload"].get(name, ()))


def read_log(directory: Path, stem: str) -> Log:
    """
    Read all files of the log *stem* in *directory*.

    Numbers run from 1 without a gap, and each checksum is SHA-256 over the one before and the
    line without its own.
    """
    lines: list[dict[str, Any]] = []
    faults: list[str] = []
    previous = ""
    for path in sorted(directory.glob(f"{stem}-*.jsonl")):
        for text in path.read_bytes().splitlines(keepends=True):
            number = len(lines) + 1
            match = _SEALED.fullmatch(text)
            if match is None:
                faults.append(f"{path.name}: line {number} is not whole")
                continue
            line = json.loads(text)
            if line["seq"] != number:
                faults.append(f"{path.name}: line {number} says it is number {line['seq']}")
            seal = sha256(previous.encode() + match[1] + match[3]).hexdigest()
            if seal != match[2].decode():
                faults.append(f"{path.name}: the checksum of line {number} is wrong")
            previous = match[2].decode()
            lines.append(line)
    return Log(tuple(lines), tuple(faults))


@define(eq=False)
class Tail:
    """What a running process adds to the log *stem* in *directory*, in whole lines."""

    directory: Path
    stem: str
    _read: dict[str, int] = field(factory=dict, init=False)  # bytes of whole lines by file

    def new(self) -> list[bytes]:
        """The lines since one looked last; what a crash left half is replaced by its successor."""
        found: list[bytes] = []
        for path in sorted(self.directory.glob(f"{self.stem}-*.jsonl"))[-2:]:
            done = self._read.get(path.name, 0)
            if path.stat().st_size == done:
                continue
            with path.open("rb") as file:
                file.seek(done)
                whole, _, _ = file.read().rpartition(b"\n")
            if whole:
                found += whole.split(b"\n")
                self._read[path.name] = done + len(whole) + 1
        return found


def kind_of(line: bytes) -> str:
    """The kind of the line, which comes behind its instant and its checksum."""
    return line[:200].split(b'"kind":"', 1)[1].split(b'"', 1)[0].decode()
