"""Manifests: which snapshots the files of a folder hold, with rows and hashes, as JSON."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.files.archive_layout import MANIFEST
from adapters.files.disk import Disk
from adapters.files.harvest_schema import VERSION
from ports.codec import Codec
from ports.snapshots import Kept

_KEPT = Codec.of([Kept])


def read_manifest(disk: Disk, folder: Path) -> Mapping[str, tuple[Kept, ...]]:
    """
    Return what the manifest of *folder* says, by file; nothing if it cannot be read.

    It repeats what the files say themselves, so that a damaged one costs time and no data.

    Raises:
        StoreDamaged: The system failed to read it.
    """
    text = disk.read(folder / MANIFEST)
    try:
        told = json.loads(text or b"{}")
        kept = [_KEPT.decode(dict(each)) for each in told.get("snapshots", [])]
    except (AttributeError, TypeError, ValueError):
        return {}
    by_file: dict[str, tuple[Kept, ...]] = {}
    for each in kept:
        by_file[each.file] = (*by_file.get(each.file, ()), each)
    return by_file


def write_manifest(disk: Disk, folder: Path, kept: Iterable[Kept]) -> None:
    """
    Put *kept* in the manifest of *folder*.

    Raises:
        StoreUnwritable: It could not be written; the old one is there.
    """
    rows = sorted(kept, key=lambda each: each.taken_at)
    told = {
        "schema_version": VERSION,
        "rows": sum(each.rows for each in rows),
        "snapshots": [_KEPT.encode(each) for each in rows],
    }
    put(disk, folder / MANIFEST, json.dumps(told, indent=1).encode())


def put(disk: Disk, path: Path, data: bytes) -> None:
    """
    Put *data* in place of what is in *path*, and keep no older one.

    Raises:
        StoreUnwritable: It could not be written; the old one is there.
    """
    disk.replace(path, data)
    previous = path.with_name(f"{path.name}.previous")
    if disk.exists(previous):
        disk.remove(previous)
