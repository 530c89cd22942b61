"""The option chain as columns: whole, sorted, read-only."""

from datetime import timedelta

import attrs
import numpy as np
import pytest

from ports.chain import ChainTable
from ports.instruments import Settlement
from tests.support.markets import DAILY, FRIDAY, Listed, call, put, snapshot

CHAIN = snapshot(
    Listed(contract=call(100_000.0), bid=0.02, ask=0.021, mark=0.0205),
    Listed(contract=put(100_000.0), bid=0.01, ask=0.011, mark=0.0105),
    Listed(contract=call(110_000.0)),
    Listed(contract=call(90_000.0, DAILY), bid=0.1),
).chain


def test_contracts_are_told_in_row_order() -> None:
    """By expiry, then strike, then calls before puts."""
    assert CHAIN.contracts == (
        call(90_000.0, DAILY),
        call(100_000.0),
        put(100_000.0),
        call(110_000.0),
    )
    assert len(CHAIN) == 4


def test_rows_and_contracts_lead_to_each_other() -> None:
    """The row of a contract is where it was listed."""
    assert [CHAIN.row_of(contract) for contract in CHAIN.contracts] == [0, 1, 2, 3]


def test_what_is_not_listed_has_no_row() -> None:
    """Another strike, expiry, kind, coin or family is another contract."""
    listed = call(100_000.0)
    for other in (
        call(101_000.0),
        call(100_000.0, DAILY),
        put(90_000.0, DAILY),
        call(100_000.0, underlying="ETH"),
        attrs.evolve(listed, settlement=Settlement.LINEAR),
    ):
        assert CHAIN.row_of(other) is None


def test_columns_cannot_be_changed() -> None:
    """A table is a value: nobody changes what another looks at."""
    for name in ("bid", "strike", "expiry_ms", "is_call"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(CHAIN, name)[0] = 1


def test_a_column_is_a_copy_of_what_it_was_made_from() -> None:
    """What the maker changes later does not reach the table."""
    bids = np.array([1.0, 2.0, 3.0, 4.0])
    chain = attrs.evolve(CHAIN, bid=bids)
    bids[0] = 99.0

    assert chain.bid.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_narrowed_table_keeps_its_rows_whole() -> None:
    """Every column is narrowed by the same mask."""
    calls = CHAIN.where(CHAIN.is_call & (CHAIN.strike >= 100_000.0))

    assert calls.contracts == (call(100_000.0), call(110_000.0))
    assert calls.bid[0] == 0.02
    assert np.isnan(calls.bid[1])
    assert len(CHAIN.where(np.zeros(4, dtype=np.bool_))) == 0


def test_columns_of_different_length_are_refused() -> None:
    """The message names the column."""
    with pytest.raises(ValueError, match="column mark has shape"):
        attrs.evolve(CHAIN, mark=[0.1])


@pytest.mark.parametrize("column", ["strike", "expiry_ms", "is_call"])
def test_unsorted_rows_are_refused(column: str) -> None:
    """Order is part of what a table promises."""
    rows = CHAIN.where(np.array([False, True, True, True]))
    turned = {
        "strike": [110_000.0, 100_000.0, 100_000.0],
        "expiry_ms": rows.expiry_ms[0] - np.arange(3),
        "is_call": [False, True, True],
    }

    with pytest.raises(ValueError, match="sorted"):
        attrs.evolve(rows, **{column: turned[column]})


def test_an_empty_table_is_a_table() -> None:
    """Nothing listed is no error."""
    empty = CHAIN.where(np.zeros(4, dtype=np.bool_))

    assert empty.contracts == ()
    assert isinstance(empty, ChainTable)


def test_time_left_is_act_365_and_never_negative() -> None:
    """In years to each row's own expiry."""
    years = CHAIN.years_left(FRIDAY - timedelta(days=73))

    assert years[1:].tolist() == [0.2, 0.2, 0.2]
    assert CHAIN.years_left(FRIDAY + timedelta(days=1)).tolist() == [0.0] * 4
