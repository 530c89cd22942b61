"""Faults drawn from a seed: one by one, or by chance with each request."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

import numpy as np
from attrs import define, evolve, field, frozen

from apps.exchange.faults.kinds import SPANS, Fault, FaultKind

AMBIGUOUS_CODES = (10001, 10040, 10041, 10047, 11051, 11094, 13028, 13503, 13888)
REFUSING_CODES = (10009, 10019, 13025)
UNKNOWN_CODE = 19999  # in no table
OUTAGES = (timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=25))
ORDERS = ("private/buy", "private/sell", "private/edit")
_READS = ("private/get_*", "public/*")
_EVERYWHERE = ("*", "private/*", *ORDERS, "private/cancel*", *_READS)
_AFTER_ORDERS = ("private/*", *ORDERS, "private/cancel*")
_SHORT = (timedelta(seconds=1), timedelta(seconds=3))
_LONG = (timedelta(seconds=12), timedelta(seconds=40))  # longer than a client waits


@frozen(kw_only=True)
class _Choices:
    """What a fault of one kind is drawn from."""

    methods: tuple[str, ...] = _EVERYWHERE
    most_times: int = 4
    spans: tuple[timedelta, ...] = (timedelta(0),)
    codes: tuple[int | None, ...] = (None,)
    lags: tuple[timedelta, ...] = (timedelta(0),)
    offsets: tuple[timedelta, ...] = (timedelta(0),)


def drawn(
    chance: np.random.Generator, starts_at: datetime | None, kinds: Sequence[FaultKind]
) -> Fault:
    """Return a fault of one of *kinds*, with what belongs to it, from *starts_at* on."""
    kind = kinds[int(chance.integers(len(kinds)))]
    choices = CHOICES[kind]
    return Fault(
        kind=kind,
        method=choices.methods[int(chance.integers(len(choices.methods)))],
        times=1 if kind in SPANS else int(chance.integers(1, choices.most_times + 1)),
        span=choices.spans[int(chance.integers(len(choices.spans)))],
        starts_at=starts_at,
        code=choices.codes[int(chance.integers(len(choices.codes)))],
        lag=choices.lags[int(chance.integers(len(choices.lags)))],
        offset=choices.offsets[int(chance.integers(len(choices.offsets)))],
    )


@define(eq=False)
class Draws:
    """Faults by chance: with a share *rate* of all requests one of *kinds* happens or begins."""

    seed: int
    rate: float
    kinds: Sequence[FaultKind]
    _chance: np.random.Generator = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)

    def next(self, method: str) -> tuple[Fault, ...]:
        """What begins with this request for *method*: one fault or none."""
        if self._chance.random() >= self.rate:
            return ()
        fault = drawn(self._chance, None, self.kinds)
        if fault.kind in SPANS:
            return (fault,)
        can_be = any(fnmatchcase(method, each) for each in CHOICES[fault.kind].methods)
        return (evolve(fault, method=method, times=1),) if can_be else ()


_MINUTES = (timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=20))
_LAGS = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))
_SKEWS = tuple(sign * timedelta(seconds=each) for each in (1, 3, 8, 90, 1200) for sign in (1, -1))
CHOICES: Mapping[FaultKind, _Choices] = {
    FaultKind.DELAYED: _Choices(spans=(*_SHORT, *_LONG), most_times=2),
    FaultKind.CONNECTION_REFUSED: _Choices(),
    FaultKind.DROPPED: _Choices(),
    FaultKind.TURNED_AWAY: _Choices(),
    FaultKind.TOO_MANY_REQUESTS: _Choices(),
    FaultKind.ERROR: _Choices(codes=(*AMBIGUOUS_CODES, *REFUSING_CODES, UNKNOWN_CODE)),
    FaultKind.SERVER_ERROR: _Choices(codes=(500, 502, 503)),
    FaultKind.DOUBLED: _Choices(methods=("private/cancel*", "private/edit", *_READS)),
    FaultKind.TOKENS_LOST: _Choices(most_times=1),
    FaultKind.CANCEL_TOO_LATE: _Choices(methods=("private/cancel*",)),
    FaultKind.ANSWER_LOST: _Choices(),
    FaultKind.ANSWER_LATE: _Choices(spans=(*_SHORT, *_LONG), most_times=2),
    FaultKind.ANSWER_REORDERED: _Choices(spans=_SHORT),
    FaultKind.ANSWER_DOUBLED: _Choices(),
    FaultKind.TRUNCATED: _Choices(),
    FaultKind.FOREIGN: _Choices(),
    FaultKind.WRONG_ID: _Choices(),
    FaultKind.RESULT_AND_ERROR: _Choices(),
    FaultKind.NO_RESULT_NO_ERROR: _Choices(),
    FaultKind.ERROR_AFTER: _Choices(methods=_AFTER_ORDERS, codes=(*AMBIGUOUS_CODES, UNKNOWN_CODE)),
    FaultKind.SERVER_ERROR_AFTER: _Choices(codes=(500, 502, 503)),
    FaultKind.OUTAGE: _Choices(methods=("*",), spans=OUTAGES),
    FaultKind.MAINTENANCE: _Choices(methods=("*",), spans=_MINUTES),
    FaultKind.SETTLING: _Choices(
        methods=("private/*",), spans=_MINUTES, codes=(10041, 10047, 13028)
    ),
    FaultKind.TRADES_LAG: _Choices(methods=("*",), spans=_MINUTES, lags=_LAGS),
    FaultKind.ORDERS_LAG: _Choices(methods=("*",), spans=_MINUTES, lags=_LAGS),
    FaultKind.ORDER_STATES_LAG: _Choices(methods=("*",), spans=_MINUTES, lags=_LAGS),
    FaultKind.THIN: _Choices(methods=("*",), spans=_MINUTES),
    FaultKind.DELISTED: _Choices(methods=("*",), spans=_MINUTES),
    FaultKind.CLOCK_SKEWED: _Choices(methods=("*",), spans=_MINUTES, offsets=_SKEWS),
}
# All but those that need a person: which instrument is delisted must be said.
DRAWABLE = tuple(kind for kind in FaultKind if kind is not FaultKind.DELISTED)
OF_REQUESTS = tuple(kind for kind in DRAWABLE if kind not in SPANS)
