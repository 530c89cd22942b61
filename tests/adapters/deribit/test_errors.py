"""The venue's codes in our words: every code of the error article, once."""

import pytest

from adapters.deribit.errors import MEANINGS, VenueError, read_error, submit_error
from ports.errors import (
    OutcomeUnknown,
    PortError,
    RateLimited,
    Refused,
    Unauthorised,
    Unavailable,
)

# Written down from the article, apart from the table under test: code, of a read, of an order.
FINAL = """
-32700 -32600 -32601 -32602 -32000 10002 10003 10004 10005 10006 10007 10008 10009 10010 10011
10012 10013 10014 10015 10016 10017 10018 10037 10038 10020 10021 10022 10023 10024 10036 11048
10025 10026 10027 10029 10030 10031 10032 10033 10034 10035 11036 10039 10043 10044 10045 10046
10048 10049 11008 11021 11029 11043 11049 11050 11030 11031 11035 11037 11046 11038 11039 11041
11044 11047 11052 11054 11055 13010 13016 13019 13020 13030 13040 13043 13032 13042 400
"""
EXPECTED: dict[int, tuple[type[PortError], type[PortError]]] = {
    **{int(code): (Refused, Refused) for code in FINAL.split()},
    10019: (Unavailable, Refused),
    11056: (Unavailable, Refused),
    13025: (Unavailable, Refused),
    429: (RateLimited, Refused),
    10028: (RateLimited, Refused),
    10066: (RateLimited, Refused),
    401: (Unauthorised, Refused),
    403: (Unauthorised, Refused),
    10000: (Unauthorised, Refused),
    11042: (Unauthorised, Refused),
    13004: (Unauthorised, Refused),
    13009: (Unauthorised, Refused),
    13021: (Unauthorised, Refused),
    13778: (Unauthorised, Refused),
    10001: (Unavailable, OutcomeUnknown),
    10040: (Unavailable, OutcomeUnknown),
    10041: (Unavailable, OutcomeUnknown),
    10047: (Unavailable, OutcomeUnknown),
    11051: (Unavailable, OutcomeUnknown),
    11094: (Unavailable, OutcomeUnknown),
    13028: (Unavailable, OutcomeUnknown),
    13503: (Unavailable, OutcomeUnknown),
    13666: (Unavailable, OutcomeUnknown),
    13777: (Unavailable, OutcomeUnknown),
    13888: (Unavailable, OutcomeUnknown),
}


def test_every_code_is_known_and_no_other() -> None:
    """The table has the codes of the article, and the statuses that stand in for them."""
    assert MEANINGS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("code", EXPECTED)
def test_a_code_means_one_thing_of_a_read(code: int) -> None:
    """Each code is one PortError when the request may be repeated."""
    assert type(read_error("public/x", VenueError(code, "said"))) is EXPECTED[code][0]


@pytest.mark.parametrize("code", EXPECTED)
def test_a_code_means_one_thing_of_an_order(code: int) -> None:
    """Each code says of an order either that it was not placed or that nobody knows."""
    assert type(submit_error("private/buy", VenueError(code, "said"))) is EXPECTED[code][1]


def test_a_code_nobody_knows_is_an_open_question_for_an_order_only() -> None:
    """An unheard-of code refuses a read, and leaves open what became of an order."""
    assert type(submit_error("private/buy", VenueError(99999, "new"))) is OutcomeUnknown
    assert type(read_error("public/ticker", VenueError(99999, "new"))) is Refused


def test_the_text_decides_nothing() -> None:
    """A message that reads like another failure changes no meaning."""
    told = VenueError(10009, "too_many_requests: unauthorized, timed_out, retry")

    assert type(read_error("public/x", told)) is type(submit_error("private/buy", told)) is Refused


def test_a_refusal_carries_the_venue_s_code() -> None:
    """Code, words and method are there for the journal."""
    refusal = submit_error("private/sell", VenueError(11054, "post_only_reject"))

    assert isinstance(refusal, Refused)
    assert refusal.code == 11054
    assert str(refusal) == "11054 post_only_reject (private/sell)"
