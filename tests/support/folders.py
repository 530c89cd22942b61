"""Folders that hold a book, written by hand or copied, and what is in their files."""

import asyncio
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapters.files.controls import FileControlStore
from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from ports.decision_log import Entry


def write_book(directory: Path, environment: str, entries: Iterable[Entry]) -> Path:
    """Write a book of *environment* whose journal says *entries*, and return its folder."""
    BookLock.take(Disk(), directory, environment, command="test", since="now").close()
    store = FileControlStore(Disk(), directory, (), journal_exists=lambda: False)
    asyncio.run(store.begin())
    asyncio.run(_append(directory, entries))
    return directory


def copied(book: Path, data_dir: Path) -> Path:
    """Copy *book*, the folder of a replay, below *data_dir* and return the new folder."""
    return shutil.copytree(book, data_dir / "paper-replay" / book.name)


def journal_files(book: Path) -> list[Path]:
    """The files of the journal in *book*, oldest first."""
    return sorted((book / "journal").glob("*.jsonl"))


def payloads(book: Path, kind: str) -> list[dict[str, Any]]:
    """What the whole lines of *kind* in the journal of *book* say, read without our code."""
    text = b"".join(file.read_bytes() for file in journal_files(book))
    lines = [json.loads(line) for line in text.split(b"\n")[:-1]]
    return [line["payload"] for line in lines if line["kind"] == kind]


def content(directory: Path) -> dict[Path, bytes]:
    """Every file below *directory* with its bytes."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


async def _append(directory: Path, entries: Iterable[Entry]) -> None:
    log = FileDecisionLog(Disk(), directory / "journal")
    for entry in entries:
        await log.append(entry)
