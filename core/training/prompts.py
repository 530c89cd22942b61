"""The questions put to a model: features as text, and the grammar that any such text must keep."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import isfinite

from attrs import frozen

from core.training.schema import BY_NAME, CALL_FEATURES, MARKET_FEATURES, Block, Kind, Table

_TASK = (
    "You trade covered calls on coin that is held. You are shown what was known at one instant: "
    "the state of the market, and calls that could be sold at their bid. Percent are percent, "
    "volatilities fractions a year, premiums coin per contract unless a name says otherwise."
)
JUDGE_ONE = f"{_TASK} Judge the one candidate. Answer exactly SELL_CALL or SKIP."
RANK_ALL = f"{_TASK} Choose one candidate by its number. Answer that number, or NO_TRADE."
TEACHER = "score"  # the collecting policy's own opinion

_STATE = ("underlying", "exit_style")
_UNKNOWN = "unknown"
_NONE = "candidates: none"
_HEAD = re.compile(r"(candidate|\d+):((?: [a-z0-9_]+=\S+)+)")
_LINE = re.compile(r"([a-z0-9_]+): (\S+)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_WORD = re.compile(r"[a-z_]+|BTC|ETH")


class ScoreShown(StrEnum):
    """Whether the prompt shows the teacher's score: the ablation."""

    SHOWN = "shown"
    MASKED = "masked"


@frozen
class Flaw:
    """A part of a prompt that may not be there, and why."""

    text: str
    why: str


def one_prompt(table: Table, row: int, score: ScoreShown) -> str:
    """The question about the candidate in *row*."""
    return "\n".join((*_market(table, row), f"candidate: {_call(table, row, score)}"))


def ranking_prompt(table: Table, rows: Sequence[int], score: ScoreShown) -> str:
    """The question about the candidates in *rows*, numbered from 1; at least one row."""
    lines = [*_market(table, rows[0])]
    if not table["instrument"][rows[0]]:
        return "\n".join((*lines, _NONE))
    numbered = (f"{place}: {_call(table, row, score)}" for place, row in enumerate(rows, start=1))
    return "\n".join((*lines, *numbered))


def flaws_of(prompt: str) -> Iterator[Flaw]:
    """Every part of *prompt* that is not a feature with its value."""
    market = {*_STATE, *(column.name for column in MARKET_FEATURES)}
    calls = {column.name for column in CALL_FEATURES}
    for line in prompt.splitlines():
        head = _HEAD.fullmatch(line)
        if line == _NONE:
            continue
        if head:
            for pair in head[2].split():
                name, _, value = pair.partition("=")
                yield from _flaws(name, value, calls)
        elif found := _LINE.fullmatch(line):
            yield from _flaws(found[1], found[2], market)
        else:
            yield Flaw(line, "is not a name with its value")


def _flaws(name: str, value: str, allowed: set[str]) -> Iterator[Flaw]:
    if name not in allowed:
        column = BY_NAME.get(name)
        block = column.block if column else Block.OUTCOME
        known = f"is of the block {block}" if column else "is no feature"
        yield Flaw(f"{name}: {value}", known)
        return
    column = BY_NAME[name]
    shape = _WORD if column.kind is Kind.TEXT else _NUMBER
    if not shape.fullmatch(value) and value != _UNKNOWN:
        yield Flaw(f"{name}: {value}", "has a value that its kind cannot have")


def _market(table: Table, row: int) -> Iterator[str]:
    for name in (*_STATE, *(column.name for column in MARKET_FEATURES)):
        yield f"{name}: {_shown(table, name, row)}"


def _call(table: Table, row: int, score: ScoreShown) -> str:
    names = (column.name for column in CALL_FEATURES)
    shown = (name for name in names if name != TEACHER or score is ScoreShown.SHOWN)
    return " ".join(f"{name}={_shown(table, name, row)}" for name in shown)


def _shown(table: Table, name: str, row: int) -> str:
    value = table[name][row]
    if BY_NAME[name].kind is Kind.TEXT:
        return str(value) or _UNKNOWN
    return f"{float(value):.6g}" if isfinite(value) else _UNKNOWN
