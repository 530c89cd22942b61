"""A watchdog beside the loop: when that gives no sign of life, a KILL file stops new risk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from time import monotonic

from apps.cli.console import problem
from apps.settings.root import Settings
from apps.wiring.book import BookPlace
from apps.wiring.switch import write_kill_file
from ports.errors import PortError

_INTERVALS = 3  # without a sign of life
_LEAST_S = 10.0  # a tick may take longer than a very short interval
_FIRST_S = 120.0  # until the first tick is done: kernels may have to be compiled
_POLL_S = 1.0


class Watchdog:
    """
    Says once, after each silence, that the loop is silent.

    *limit_s* counts from the last sign of life, *first_limit_s* from the start to the first.
    """

    def __init__(
        self,
        limit_s: float,
        first_limit_s: float,
        tell: Callable[[float], None],
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._limit_s = limit_s
        self._current_limit_s = first_limit_s
        self._tell = tell
        self._now_s = now_s
        self._beat_at_s = now_s()
        self._has_told = False

    def beat(self) -> None:
        """Take a sign of life."""
        self._beat_at_s = self._now_s()
        self._current_limit_s = self._limit_s
        self._has_told = False

    def look(self) -> None:
        """Tell if the silence has lasted too long and was not told of yet."""
        silent_s = self._now_s() - self._beat_at_s
        if silent_s > self._current_limit_s and not self._has_told:
            self._has_told = True
            self._tell(silent_s)


@contextmanager
def watched(
    settings: Settings,
    place: BookPlace,
    now_s: Callable[[], float] = monotonic,
    wait: Callable[[float], bool] | None = None,
) -> Iterator[Callable[[], None]]:
    """
    Watch a run on the book at *place* from another thread; yields what it calls to be alive.

    Stepped time is not watched: its ticks have no pace. *wait* lets so many seconds pass and says
    whether to end.
    """
    if settings.venue.is_stepped:
        yield lambda: None
        return
    limit_s = max(_INTERVALS * settings.loop.loop_interval_sec, _LEAST_S)
    watchdog = Watchdog(limit_s, max(limit_s, _FIRST_S), partial(_kill, place), now_s)
    ended = Event()
    pause = wait or ended.wait

    def watch() -> None:
        while not pause(_POLL_S):
            watchdog.look()

    thread = Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield watchdog.beat
    finally:
        ended.set()
        thread.join()


def _kill(place: BookPlace, silent_s: float) -> None:
    """Write the KILL file of the book; the loop obeys it as soon as it lives again."""
    reason = f"watchdog: the loop gave no sign of life for {silent_s:.0f} s"
    path = place.directory / "KILL"
    try:
        write_kill_file(path, reason)
    except PortError as error:
        problem(f"{reason}, and {path} could not be written: {error}")
    else:
        problem(f"{reason}; {path} was written: nothing new is opened")
