"""Each check of quotes finds the defect that is planted for it, and nothing in a sound chain."""

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.health.quote_checks import CheckParams, Flaw, Quotes, flaws_of
from core.pricing.black76 import premium_coin
from core.usecases.harvest import derive
from ports.harvest_columns import table_of
from ports.instruments import Settlement
from tests.support.harvests import sound_harvest

PARAMS = CheckParams()
SOUND = Quotes.of(table_of(sound_harvest(), derive(sound_harvest().market), "file"))
CALL, PUT = 4, 5  # of the strike in the middle of the nearest expiry


def found(quotes: Quotes) -> set[Flaw]:
    return {flaw for flaw, rows in flaws_of(quotes, PARAMS).items() if rows.any()}


def put_in(name: str, row: int, value: float, quotes: Quotes = SOUND) -> Quotes:
    column = getattr(quotes, name).copy()
    column[row] = value
    return evolve(quotes, **{name: column})


def test_a_sound_chain_has_no_flaw() -> None:
    """Marks of one volatility, quoted about them, pass every check."""
    assert found(SOUND) == set()


def test_a_sound_linear_chain_has_no_flaw() -> None:
    """Prices in USDC are judged over the forward."""
    linear = sound_harvest(settlement=Settlement.LINEAR)

    assert found(Quotes.of(table_of(linear, derive(linear.market), "file"))) == set()


def test_a_bid_above_its_ask_is_crossed() -> None:
    """Only the row that is; a locked pair is not."""
    crossed = put_in("bid", CALL, float(SOUND.ask[CALL]) + 0.0001)
    locked = put_in("bid", CALL, float(SOUND.ask[CALL]))

    assert np.flatnonzero(flaws_of(crossed, PARAMS)[Flaw.CROSSED]).tolist() == [CALL]
    assert not flaws_of(locked, PARAMS)[Flaw.CROSSED].any()


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_mark_outside_its_quotes_is_found(side: str) -> None:
    """More than a tick below the bid or above the ask."""
    away = 0.002 if side == "bid" else -0.002
    moved = put_in(side, CALL, float(SOUND.mark[CALL]) + away)

    assert flaws_of(moved, PARAMS)[Flaw.MARK_OUTSIDE][CALL]


@pytest.mark.parametrize("iv", [0.005, 0.01, 5.0, 9.99])
def test_a_volatility_out_of_range_is_found(iv: float) -> None:
    """One point and below, five hundred and above."""
    assert flaws_of(put_in("mark_iv", CALL, iv), PARAMS)[Flaw.IV_RANGE][CALL]


@pytest.mark.parametrize("row", [0, 9])
@pytest.mark.parametrize("mark", [1.3, -0.001])
def test_a_mark_out_of_bounds_is_found(row: int, mark: float) -> None:
    """Above what the option can ever pay, or below what it pays now."""
    assert flaws_of(put_in("mark", row, mark), PARAMS)[Flaw.BOUNDS][row]


def test_broken_parity_is_found() -> None:
    """Both rows of the pair, where the call costs two thousandths too much."""
    dear = put_in("mark", CALL, float(SOUND.mark[CALL]) + 0.002)

    assert np.flatnonzero(flaws_of(dear, PARAMS)[Flaw.PARITY]).tolist() == [CALL, PUT]


def test_a_dent_in_the_strikes_is_found() -> None:
    """A mark above the line between its neighbours can be sold for nothing."""
    middle = 4
    beside = (SOUND.mark[middle - 2] + SOUND.mark[middle + 2]) / 2
    flaws = flaws_of(put_in("mark", middle, float(beside) + 0.001), PARAMS)

    assert np.flatnonzero(flaws[Flaw.BUTTERFLY]).tolist() == [middle]


def test_a_falling_total_variance_is_found() -> None:
    """A later expiry whose variance is less than the one before has."""
    iv = np.where(SOUND.expiry_s == SOUND.expiry_s.max(), 0.2, SOUND.mark_iv)
    flaws = flaws_of(evolve(SOUND, mark_iv=iv), PARAMS)

    assert flaws[Flaw.CALENDAR].sum() == 10
    assert not flaws[Flaw.CALENDAR][SOUND.expiry_s == SOUND.expiry_s.min()].any()


def test_a_duplicate_is_found() -> None:
    """The second row of one instrument, not the first."""
    names = SOUND.name.copy()
    names[CALL] = names[0]

    flaws = flaws_of(evolve(SOUND, name=names), PARAMS)
    assert np.flatnonzero(flaws[Flaw.DUPLICATE]).tolist() == [CALL]


def test_an_expired_option_is_found() -> None:
    """One whose expiry had passed when the snapshot was taken."""
    assert flaws_of(put_in("tenor", CALL, 0.0), PARAMS)[Flaw.EXPIRED][CALL]


@pytest.mark.parametrize("name", ["BTC-PERPETUAL", "", "BTC-27MAR26-80000", "27MAR26-80000-C"])
def test_a_name_that_is_no_options_is_found(name: str) -> None:
    """Letters, date, strike and kind, as the venue writes them."""
    names = SOUND.name.astype("U32")
    names[CALL] = name

    assert flaws_of(evolve(SOUND, name=names), PARAMS)[Flaw.BAD_NAME][CALL]


@pytest.mark.parametrize("name", ["SOL_USDC-27MAR26-120-P", "XRP_USDC-30JUN23-0d625-C"])
def test_linear_and_decimal_names_are_options(name: str) -> None:
    """The names of the linear families are sound."""
    names = SOUND.name.astype("U32")
    names[CALL] = name

    assert not flaws_of(evolve(SOUND, name=names), PARAMS)[Flaw.BAD_NAME].any()


def test_what_is_missing_is_no_flaw() -> None:
    """A chain without any quote, mark or volatility has none of the flaws that need them."""
    nothing = np.full(len(SOUND.name), np.nan)
    bare = evolve(SOUND, bid=nothing, ask=nothing, mark=nothing, mark_iv=nothing, forward=nothing)

    assert found(bare) == set()


@settings(derandomize=True, deadline=None)
@given(
    iv=st.floats(0.2, 2.0),
    forward=st.floats(500.0, 200_000.0),
    width=st.floats(0.01, 0.2),
    slope=st.floats(0.0, 1.0),
)
def test_no_free_lunch_is_found_where_there_is_none(
    iv: float, forward: float, width: float, slope: float
) -> None:
    """Black-76 marks at a volatility that does not fall so fast as to be arbitrage are sound."""
    strike = forward * (SOUND.strike / 100_000.0) ** (width / 0.1)
    later = SOUND.expiry_s == SOUND.expiry_s.max()
    ivs = np.where(later, iv * (1.0 + slope), iv)
    forwards = np.full(len(strike), forward)
    marks = premium_coin(forwards, strike, SOUND.tenor, ivs, SOUND.is_call)
    quotes = evolve(
        SOUND,
        strike=strike,
        forward=forwards,
        mark=marks,
        mark_iv=ivs,
        bid=marks - 0.0001,
        ask=marks + 0.0001,
    )

    assert found(quotes) == set()


@settings(derandomize=True, deadline=None)
@given(row=st.integers(0, 19), excess=st.floats(0.0011, 0.5))
def test_every_mark_that_is_off_parity_is_found(row: int, excess: float) -> None:
    """Whichever row is moved, and whichever way, its pair is named."""
    for moved in (excess, -excess):
        flaws = flaws_of(put_in("mark", row, float(SOUND.mark[row]) + moved), PARAMS)
        assert np.flatnonzero(flaws[Flaw.PARITY]).tolist() == [row - row % 2, row - row % 2 + 1]
