"""The watchdog: it tells of a silence once, and a KILL file is what comes of it."""

from pathlib import Path
from threading import Event

import pytest
from attrs import define

from apps.cli.watchdog import Watchdog, watched
from apps.settings.root import Settings
from apps.settings.services import LoopSettings
from apps.settings.venue import VenueSettings
from apps.wiring.book import BookPlace, controls_of


@define
class Seconds:
    """A stopwatch that is set by hand."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_silence_is_told_once_until_the_next_sign_of_life() -> None:
    """Three intervals are allowed, more are told of, and a new silence is told of again."""
    clock, told = Seconds(), list[float]()
    watchdog = Watchdog(limit_s=30.0, first_limit_s=120.0, tell=told.append, now_s=clock)
    watchdog.beat()
    for now_s in (30.0, 30.1, 99.0):
        clock.now_s = now_s
        watchdog.look()
    assert told == [30.1]

    watchdog.beat()
    for now_s in (129.0, 129.5):
        clock.now_s = now_s
        watchdog.look()
    assert told == [30.1, 30.5]


def test_the_first_tick_has_more_time() -> None:
    """Until there was one, the longer limit holds."""
    clock, told = Seconds(), list[float]()
    watchdog = Watchdog(limit_s=30.0, first_limit_s=120.0, tell=told.append, now_s=clock)
    for now_s in (31.0, 120.0, 121.0):
        clock.now_s = now_s
        watchdog.look()

    assert told == [121.0]


async def test_a_silent_loop_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The thread writes the KILL file of the book: its controls read as killed, with why."""
    settings = Settings(loop=LoopSettings(loop_interval_sec=300))
    place = BookPlace("paper-test", tmp_path / "book", tmp_path)
    place.directory.mkdir()
    clock, looked = Seconds(), Event()

    def poll(_: float) -> bool:
        clock.now_s += 1000.0
        is_over = looked.is_set()
        looked.set()
        return is_over

    with watched(settings, place, now_s=clock, wait=poll):
        assert looked.wait(timeout=60)

    controls = await controls_of(place).read()
    assert controls.kill_switch
    assert "no sign of life for 1000 s" in controls.kill_reason
    assert "KILL was written" in capsys.readouterr().err
    assert not (tmp_path / "KILL").exists()


def test_a_replay_is_not_watched(tmp_path: Path) -> None:
    """Its ticks have no pace: no thread looks, however long it takes."""
    settings = Settings(venue=VenueSettings(market="replay", replay_data=tmp_path))
    place = BookPlace("paper-replay", tmp_path, tmp_path)

    def never(_: float) -> bool:
        raise AssertionError("somebody looks")

    with watched(settings, place, wait=never) as beat:
        beat()
    assert not (tmp_path / "KILL").exists()
