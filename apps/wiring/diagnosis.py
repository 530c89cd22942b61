"""What `doctor` looks at: each check asks one thing and says how to mend it; nothing is changed."""

import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator
from math import isclose
from pathlib import Path
from time import perf_counter

import numpy as np
from numba.core.errors import NumbaError

from adapters.files.disk import Disk
from adapters.files.positions import FilePositionStore
from apps.settings.root import Settings
from apps.wiring import journals
from apps.wiring.book import POSITIONS, BookPlace, controls_of
from apps.wiring.clock import system_now
from apps.wiring.findings import Finding, fail, ok, skipped, warn
from apps.wiring.market import archive_of
from apps.wiring.market_view import market_view
from apps.wiring.reading import holder
from apps.wiring.venue_finding import venue_finding
from core.pricing.black76 import premium_coin
from core.simulation.synthetic_path import EPOCH
from ports.errors import PortError, StoreDamaged

_OLDEST_PYTHON = (3, 11)
_SCARCE_BYTES, _TOO_FEW_BYTES = 1 << 30, 50 << 20  # a year of journal; a day with its snapshots


async def diagnose(settings: Settings, place: BookPlace | None) -> AsyncIterator[Finding]:
    """Yield every finding, in order; *place* is None where there is no book yet."""
    yield _python()
    yield _data_folder(settings)
    for finding in await _book(place):
        yield finding
    yield await _clock(place)
    yield _kernels()
    yield await _replay_data(settings)
    yield await venue_finding(settings)
    for coin in settings.venue.underlyings:
        yield await _market(settings, coin)


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return fail("python", version, "install Python 3.11 or later")
    return ok("python", version)


def _data_folder(settings: Settings) -> Finding:
    directory = settings.venue.data_dir.absolute()
    there = next(path for path in (directory, *directory.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return fail("data folder", f"{there} cannot be written", "see venue.data_dir")
    free = shutil.disk_usage(there).free
    detail = f"{directory}, {free / (1 << 30):.1f} GiB free"
    if free < _TOO_FEW_BYTES:
        return fail("data folder", detail, "make room: nothing is traded on a full disk")
    if free < _SCARCE_BYTES:
        return warn("data folder", detail, "make room before it is full")
    return ok("data folder", detail)


async def _book(place: BookPlace | None) -> list[Finding]:
    names = ("lock", "journal", "positions", "controls")
    if place is None:
        return [skipped(name, "there is no book yet") for name in names]
    return [_lock(place), await _journal(place), await _positions(place), await _controls(place)]


def _lock(place: BookPlace) -> Finding:
    try:
        held_by = holder(place)
    except PortError as error:
        return fail("lock", str(error), "see the rights of the book's folder")
    return ok("lock", f"held by {held_by}" if held_by else "free: no agent is running")


async def _journal(place: BookPlace) -> Finding:
    journal = journals.journal_in(place.directory)
    if journal is None:
        return skipped("journal", "nothing was written yet")
    try:
        found = await journals.verify(journal)
    except PortError as error:
        return fail("journal", str(error), "use the program that wrote it")
    if found.damage:
        return fail("journal", found.damage.what, "restore the file from a copy; see journal show")
    return ok("journal", f"{found.lines} lines in {found.files} files, chain ok")


async def _positions(place: BookPlace) -> Finding:
    store = FilePositionStore(Disk(), place.directory / POSITIONS, place.environment)
    try:
        snapshot = await store.peek()
    except StoreDamaged as error:
        return warn("positions", str(error), "the next run rebuilds it from the journal")
    except PortError as error:
        return fail("positions", str(error), "one folder holds one book: see venue.data_dir")
    if snapshot is None:
        return skipped("positions", "nothing was saved yet")
    return ok("positions", f"{snapshot.environment}, as of entry {snapshot.seq}")


async def _controls(place: BookPlace) -> Finding:
    store = controls_of(place)
    try:
        await store.audit()
    except PortError as error:
        return fail("controls", str(error), "keep the audit aside; then options-agent release")
    controls = await store.read()
    if controls.kill_switch:
        return warn("controls", f"kill switch ON: {controls.kill_reason}", "options-agent release")
    return ok("controls", f"revision {controls.revision}, kill switch off")


async def _clock(place: BookPlace | None) -> Finding:
    now = system_now()
    detail = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < EPOCH:
        return fail("clock", f"{detail} is before this program was written", "set the clock")
    if place is None or place.is_stepped:
        return ok("clock", detail)
    try:
        store = FilePositionStore(Disk(), place.directory / POSITIONS, place.environment)
        snapshot = await store.peek()
    except PortError:
        return ok("clock", f"{detail}; the book could not be asked")
    if snapshot is not None and snapshot.saved_at > now:
        return fail("clock", f"{detail}, the book was saved {snapshot.saved_at}", "set the clock")
    return ok("clock", detail)


def _kernels() -> Finding:
    """Price a call and a put: parity must hold, however the kernel was compiled."""
    began = perf_counter()
    try:
        call, put = premium_coin(100.0, 80.0, 0.5, 0.6, np.array([True, False]))
    except (NumbaError, OSError) as error:
        return fail("kernels", str(error), "is the folder of numba's cache writable?")
    detail = f"priced in {perf_counter() - began:.2f} s"
    if not isclose(call - put, 0.2, abs_tol=1e-12):
        return fail("kernels", f"{detail}, but parity fails: {call} - {put}", "install anew")
    return ok("kernels", detail)


async def _replay_data(settings: Settings) -> Finding:
    venue = settings.venue
    if venue.market != "replay":
        return skipped("replay data", "venue.market is not replay")
    try:
        archive = archive_of(venue.replay_data, tuple(venue.underlyings))
        counts = {str(coin): len(await archive.instants(coin)) for coin in venue.underlyings}
        left_out = [each for coin in venue.underlyings for each in await archive.skipped(coin)]
    except PortError as error:
        return fail("replay data", str(error), "see venue.replay_data")
    if not all(counts.values()):
        return fail("replay data", _counts(counts, venue.replay_data), "see venue.replay_data")
    if left_out:
        first = f"{left_out[0].file}: {left_out[0].reason}"
        return warn("replay data", f"{len(left_out)} left out, the first: {first}", "get it anew")
    return ok("replay data", _counts(counts, venue.replay_data))


async def _market(settings: Settings, coin: str) -> Finding:
    name = f"market {coin}"
    try:
        async with market_view(settings, None) as market:
            snapshot = await market.snapshot(coin)
    except PortError as error:
        return fail(name, f"{type(error).__name__}: {error}", "see venue.market and venue.replay_*")
    chain = snapshot.chain
    quoted = int((np.isfinite(chain.bid) & np.isfinite(chain.ask)).sum())
    detail = f"index {snapshot.index_usd:,.2f} USD, {quoted} of {len(chain)} options quoted"
    if not quoted:
        return warn(name, detail, "nothing can be traded until somebody quotes")
    return ok(name, detail)


def _counts(counts: dict[str, int], directory: Path | None) -> str:
    return f"{directory}: " + ", ".join(f"{coin} {count}" for coin, count in counts.items())
