"""What a check of `doctor` found."""

from enum import StrEnum

from attrs import frozen


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Finding:
    """One check: what was found, and what to do about it; *fix* is empty if nothing."""

    name: str
    status: Status
    detail: str
    fix: str = ""


def ok(name: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(name=name, status=Status.OK, detail=detail)


def warn(name: str, detail: str, fix: str) -> Finding:
    """It works, and a person should know."""
    return Finding(name=name, status=Status.WARN, detail=detail, fix=fix)


def fail(name: str, detail: str, fix: str) -> Finding:
    """A run would not work."""
    return Finding(name=name, status=Status.FAIL, detail=detail, fix=fix)


def skipped(name: str, detail: str) -> Finding:
    """There was nothing to look at."""
    return Finding(name=name, status=Status.SKIPPED, detail=detail)
