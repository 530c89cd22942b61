"""Faults as people write them: in a JSON file, in a call of paper/faults, in a flag."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from apps.exchange.faults.drawn import OF_REQUESTS, Draws
from apps.exchange.faults.kinds import Fault, FaultKind

_DAYS_30_S = 30 * 86_400.0


class ToldFault(BaseModel):
    """
    One fault; see Fault.

    Spans, lags and offsets in seconds; *starts_in_s* counts from its arming, negative never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    method: str = Field(default="*", max_length=100)
    times: int = Field(default=1, ge=1, le=1_000_000)
    skip: int = Field(default=0, ge=0, le=1_000_000)
    span_s: float = Field(default=0.0, ge=0.0, le=_DAYS_30_S)
    starts_in_s: float = Field(default=0.0, ge=0.0, le=_DAYS_30_S)
    code: int | None = None
    lag_s: float = Field(default=0.0, ge=0.0, le=_DAYS_30_S)
    offset_s: float = Field(default=0.0, ge=-_DAYS_30_S, le=_DAYS_30_S)
    instrument: str = Field(default="", max_length=100)

    def fault(self, now: datetime) -> Fault:
        """The fault that is armed at *now*."""
        return Fault(
            kind=self.kind,
            method=self.method,
            times=self.times,
            skip=self.skip,
            span=timedelta(seconds=self.span_s),
            starts_at=now + timedelta(seconds=self.starts_in_s),
            code=self.code,
            lag=timedelta(seconds=self.lag_s),
            offset=timedelta(seconds=self.offset_s),
            instrument=self.instrument,
        )


class _Flag(BaseModel):
    """What `--faults seed=7,rate=0.3,kinds=dropped+truncated` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    rate: float = Field(gt=0.0, le=1.0)
    kinds: Sequence[FaultKind] = Field(default=OF_REQUESTS, min_length=1)


class BadScript(ValueError):
    """What was written is not faults; the text says where."""


def draws_from(flag: str) -> Draws:
    """
    Return the draws that *flag* asks for.

    Raises:
        BadScript: It cannot be read.
    """
    given = dict(part.partition("=")[::2] for part in flag.split(","))
    fields: dict[str, object] = {**given}
    if "kinds" in given:
        fields["kinds"] = given["kinds"].split("+")
    try:
        read = _Flag.model_validate(fields)
    except ValidationError as error:
        raise BadScript(f"--faults {flag}: {_first(error)}") from error
    return Draws(read.seed, read.rate, read.kinds)


def script_from(path: Path) -> tuple[ToldFault, ...]:
    """
    Return the faults in the JSON array at *path*.

    Raises:
        BadScript: They cannot be read.
    """
    try:
        return _SCRIPT.validate_json(path.read_bytes())
    except OSError as error:
        raise BadScript(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise BadScript(f"{path}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


_SCRIPT = TypeAdapter(tuple[ToldFault, ...])
