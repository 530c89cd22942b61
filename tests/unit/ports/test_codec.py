"""Values to JSON and back: nothing lost, nothing guessed, the same bytes every time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from math import inf, isnan, nan
from typing import Any

import pytest
from attrs import evolve, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.codec import Codec, Fields, from_json, instant_from, instant_text, to_json
from ports.controls import RuntimeControls
from ports.decision_log import (
    ENTRIES,
    Candidate,
    ControlsSeen,
    Decided,
    Entry,
    Executed,
    OrderUpdated,
    RollStarted,
    Ticked,
)
from ports.instruments import OptionContract, OptionKind, Settlement
from ports.positions import BOOKS, Book, Drawdown, Leg, Reconciliation, Wealth
from ports.trading import OrderState, Side
from tests.support.entries import FAR, NEAR, NOW, book_snapshot, entries

ALL = entries()


class Colour(StrEnum):
    """An enum that is a str too."""

    RED = "red"


@frozen
class Sample:
    """A field of every kind that values are made of."""

    number: float = 0.0
    count: int = 0
    text: str = ""
    flag: bool = False
    perhaps: float | None = None
    colour: Colour = Colour.RED
    texts: tuple[str, ...] = ()
    by_name: Mapping[str, float] = field(factory=dict)
    at: datetime = NOW
    contract: OptionContract = NEAR


CODEC = Codec.of([Sample])


def through_json(codec: Codec, value: object) -> Any:
    """*value* as it is after it was written and read."""
    return codec.decode(from_json(to_json(codec.encode(value))))


def written(**fields: object) -> Fields:
    """A Sample as JSON has it, with *fields* changed."""
    return {**from_json(to_json(CODEC.encode(Sample()))), **fields}


def without_nan(candidate: Candidate) -> Candidate:
    """*candidate* with a number for NaN, which equals nothing."""
    return evolve(
        candidate,
        ask=-1.0 if isnan(candidate.ask) else candidate.ask,
        spread_pct=-1.0 if isnan(candidate.spread_pct) else candidate.spread_pct,
    )


def comparable(entry: Entry) -> Entry:
    """*entry* such that equal content compares as equal."""
    if isinstance(entry, Decided):
        return evolve(entry, candidates=tuple(map(without_nan, entry.candidates)))
    return entry


def test_there_is_a_sample_of_every_entry() -> None:
    """The tests below see each kind of entry."""
    assert {type(entry).__name__ for entry in ALL} == set(ENTRIES.types)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: type(entry).__name__)
def test_every_entry_comes_back(entry: Entry) -> None:
    """What is read equals what was written, of the same type."""
    back = through_json(ENTRIES, entry)

    assert type(back) is type(entry)
    assert comparable(back) == comparable(entry)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: type(entry).__name__)
def test_the_bytes_are_the_same_after_a_round_trip(entry: Entry) -> None:
    """Written, read and written again: byte for byte the same."""
    text = to_json(ENTRIES.encode(entry))

    assert to_json(ENTRIES.encode(through_json(ENTRIES, entry))) == text
    assert text == to_json(ENTRIES.encode(entry))
    assert text.isascii()
    assert "\n" not in text


def test_a_whole_book_comes_back() -> None:
    """Every part of a book, with nested values, maps and what is None."""
    base = book_snapshot(7)
    book = evolve(
        base.book,
        wealth={
            "BTC": Wealth(
                first_equity_coin=1.0,
                first_index_usd=9e4,
                equity_coin=1.1,
                index_usd=1e5,
                marked_at=NOW,
            )
        },
        drawdown=Drawdown(day="2026-01-02", peak_usd=1e5, equity_usd=9e4),
        reconciliations={"BTC": Reconciliation(at=NOW, clean=False, differing=1)},
        delivery_ids={"d": NOW},
        turns={"s/BTC": NOW},
        rolls={"p1": next(entry for entry in ALL if isinstance(entry, RollStarted))},
        ticked_at=NOW,
        halted="a reason",
    )
    snapshot = evolve(base, book=book)

    assert through_json(BOOKS, snapshot) == snapshot
    assert through_json(BOOKS, Book()) == Book()


numbers = st.floats(allow_infinity=False)


@given(
    numbers,
    st.integers(),
    st.text(),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.lists(st.text(), max_size=3),
    st.dictionaries(st.text(), numbers, max_size=3),
)
@settings(derandomize=True, deadline=None)
def test_any_content_comes_back(
    number: float,
    count: int,
    text: str,
    perhaps: float | None,
    texts: list[str],
    by_name: dict[str, float],
) -> None:
    """Whatever numbers, words and maps are written, the same are read."""
    value = Sample(number, count, text, perhaps is None, perhaps, Colour.RED, tuple(texts), by_name)

    back = through_json(CODEC, value)

    # NaN is not equal to itself, but prints the same; a map has no order
    assert repr(evolve(back, by_name={})) == repr(evolve(value, by_name={}))
    assert repr(sorted(back.by_name.items())) == repr(sorted(value.by_name.items()))


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
)
@settings(derandomize=True, deadline=None)
def test_every_instant_comes_back(naive: datetime) -> None:
    """To the microsecond, in UTC."""
    instant = naive.replace(tzinfo=UTC)

    assert instant_from(instant_text(instant)) == instant


def test_an_instant_elsewhere_is_written_in_utc() -> None:
    """The text says the instant, not the hour on some wall."""
    there = datetime(2026, 1, 2, 11, 30, tzinfo=timezone(timedelta(hours=2)))

    assert instant_text(there) == "2026-01-02T09:30:00.000000Z"


def test_an_instant_without_a_zone_is_not_written() -> None:
    """Nobody knows when it is."""
    with pytest.raises(ValueError, match="naive"):
        instant_text(datetime(2026, 1, 2))  # noqa: DTZ001


def test_nan_is_null_and_comes_back_as_nan() -> None:
    """JSON has no NaN; what is not known stays not known."""
    text = to_json(CODEC.encode(Sample(nan)))

    assert '"number":null' in text
    assert isnan(CODEC.decode(from_json(text)).number)


@pytest.mark.parametrize("number", [inf, -inf])
def test_infinity_is_refused(number: float) -> None:
    """It is no figure that could be meant."""
    with pytest.raises(ValueError, match="infinite"):
        CODEC.encode(Sample(number))


def test_a_whole_number_given_for_a_float_is_written_as_a_float() -> None:
    """Running and folded state have one form: 1 and 1.0 are the same bytes."""
    whole = RuntimeControls(delta_max=1, max_margin_used_pct=80)
    exact = RuntimeControls(delta_max=1.0, max_margin_used_pct=80.0)

    def text(controls: RuntimeControls) -> str:
        return to_json(ENTRIES.encode(ControlsSeen(at=NOW, controls=controls)))

    assert text(whole) == text(exact)


def test_none_comes_back_as_none() -> None:
    """Missing stays missing where a field may be missing."""
    leg = Leg(contract=FAR, opened_at=NOW)
    book = book_snapshot(1).book
    position = evolve(book.positions["p1"], legs=(leg,))
    back = through_json(BOOKS, evolve(book, positions={"p1": position}))

    (read,) = back.positions["p1"].legs
    assert (read.mark_coin, read.closed_at) == (None, None)


def test_enums_come_back_as_enums() -> None:
    """Not as the words they are written with."""
    updated = next(entry for entry in ALL if isinstance(entry, OrderUpdated))
    back = through_json(ENTRIES, updated)

    assert type(back.state) is OrderState
    assert type(back.fills[0].side) is Side
    assert type(through_json(CODEC, Sample()).colour) is Colour


def test_an_unknown_word_for_an_enum_is_refused() -> None:
    """It names no member."""
    with pytest.raises(ValueError, match="cannot read Sample"):
        CODEC.decode(written(colour="green"))


def test_a_contract_is_written_as_its_symbol() -> None:
    """The venue's own name, and nothing else."""
    assert CODEC.encode(Sample())["contract"] == "BTC-9JAN26-98000-C"


def test_a_contract_that_its_symbol_does_not_tell_is_refused() -> None:
    """An expiry at another hour would come back as another contract."""
    odd = OptionContract("BTC", NEAR.expiry + timedelta(hours=1), 98_000.0, OptionKind.CALL)

    with pytest.raises(ValueError, match="does not say all"):
        CODEC.encode(Sample(contract=odd))


def test_linear_contracts_come_back() -> None:
    """The family is part of the name."""
    linear = evolve(NEAR, settlement=Settlement.LINEAR, underlying="ETH", strike=0.5)

    assert through_json(CODEC, Sample(contract=linear)).contract == linear


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "1.0"},
        {"number": True},
        {"count": 1.0},
        {"count": True},
        {"count": "1"},
        {"count": None},
        {"text": 1},
        {"text": None},
        {"flag": 1},
        {"flag": "true"},
        {"perhaps": "none"},
        {"texts": "abc"},
        {"texts": {"a": "b"}},
        {"texts": [1]},
        {"texts": None},
        {"by_name": []},
        {"by_name": {"a": "1"}},
        {"at": 0},
        {"at": "2026-01-02 09:30:00"},
        {"at": None},
        {"contract": 1},
        {"contract": "BTC-PERPETUAL"},
        {"colour": 1},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_type_is_refused(wrong: Fields) -> None:
    """Nothing is converted silently."""
    with pytest.raises(ValueError, match="cannot read Sample"):
        CODEC.decode(written(**wrong))


def test_an_extra_field_is_refused() -> None:
    """What this program does not know it must not drop."""
    with pytest.raises(ValueError, match="cannot read Sample"):
        CODEC.decode(written(more=1))


def test_a_missing_field_without_default_is_refused() -> None:
    """It is never filled in."""
    fields = ENTRIES.encode(Ticked(at=NOW, due_at=NOW))
    del fields["due_at"]

    with pytest.raises(ValueError, match="cannot read Ticked"):
        ENTRIES.decode(fields)


def test_a_missing_field_with_default_is_the_default() -> None:
    """That is how a new field reaches old lines."""
    fields = written(count=5)
    del fields["text"]

    assert CODEC.decode(fields) == Sample(count=5)


def test_a_value_that_would_be_refused_is_not_read() -> None:
    """Validators hold for what is read as for what is built."""
    fields = ENTRIES.encode(ALL[10])

    with pytest.raises(ValueError, match="index_usd"):
        ENTRIES.decode({**fields, "index_usd": -1.0})


@pytest.mark.parametrize("version", [2, 0, -1, "1", 1.0, True, None])
def test_another_version_is_refused(version: object) -> None:
    """A newer program wrote it, or nobody did."""
    with pytest.raises(ValueError, match="version"):
        CODEC.decode(written(version=version))


@pytest.mark.parametrize("name", ["Unheard", None, 3, "sample"])
def test_an_unknown_type_is_refused(name: object) -> None:
    """Only types of this codec are read."""
    with pytest.raises(ValueError, match="of type"):
        CODEC.decode(written(type=name))


def test_a_type_of_another_codec_is_not_written() -> None:
    """Neither a stranger nor a namesake."""

    @frozen
    class Sample:
        """Another class of the same name."""

    with pytest.raises(ValueError, match="cannot write"):
        CODEC.encode(Executed)
    with pytest.raises(ValueError, match="cannot write"):
        CODEC.encode(Sample())


def test_upcasts_lead_every_old_version_to_the_current_one() -> None:
    """A line of version 1 takes two steps, of version 2 one, of version 3 none."""

    def renamed(fields: Fields) -> Fields:
        return {"number": fields["price"], "count": fields["count"]}

    def scaled(fields: Fields) -> Fields:
        return {**fields, "number": fields["number"] / 100.0}

    codec = Codec.of([Sample], {"Sample": (renamed, scaled)})

    def read(version: int, **fields: object) -> Any:
        return codec.decode({"type": "Sample", "version": version, **fields})

    assert read(1, price=50.0, count=2) == Sample(0.5, 2)
    assert read(2, number=50.0, count=2) == Sample(0.5, 2)
    assert read(3, number=0.5, count=2) == Sample(0.5, 2)
    assert codec.encode(Sample())["version"] == 3
    with pytest.raises(ValueError, match="version 4"):
        read(4, number=0.5, count=2)


@pytest.mark.parametrize("text", ["[1]", "1", '"a"', "null", "{", ""])
def test_only_one_json_object_is_read(text: str) -> None:
    """A line is an object or it is nothing."""
    with pytest.raises(ValueError, match=r"JSON object|Expecting"):
        from_json(text)
