"""Collecting: rows that know nothing of later, every arm tried, parts of time held apart."""

import numpy as np
import pytest
from attrs import evolve

from core.backtest.arms import Arms
from core.backtest.prepared import PreparedCoin, bars_between
from core.context.regime import HISTORY
from core.training.card import card_of
from core.training.decision_rows import DECISION_COLUMNS, decision_rows
from core.training.leaks import table_leaks
from core.training.rows import groups_of
from core.training.schema import (
    COLUMNS,
    FEATURES,
    NO_CANDIDATES,
    NOTHING,
    SELL,
    Block,
    Kind,
    Split,
)
from core.training.splits import SplitParams, split_by_time
from core.usecases.collect_training import collect
from ports.checks import epoch_ms
from tests.support.training import COLLECTING, STYLES, collected, invention, recorded_rows, rows

DAY_MS = 86_400_000


def cut(coin: PreparedCoin, snapshots: int) -> PreparedCoin:
    """*coin* as though nothing had happened after so many *snapshots*."""
    last = coin.instants[snapshots - 1]
    return evolve(
        coin,
        snapshots=coin.snapshots[:snapshots],
        candles=bars_between(coin.candles, coin.instants[0] - HISTORY, last),
        deliveries={
            expiry: known for expiry, known in coin.deliveries.items() if known.known_at <= last
        },
    )


def test_what_is_told_of_a_decision_does_not_change_with_what_comes_after() -> None:
    """Cut off at half its length, every feature, choice and propensity is the same bit for bit."""
    half = len(invention().snapshots) // 2
    short = collect(cut(invention(), half), COLLECTING).table
    whole = rows().where(rows()["decision_ms"] <= short["decision_ms"].max())

    assert len(short) == len(whole) > 500
    for column in COLUMNS:
        if column.block not in (Block.OUTCOME, Block.SPLIT):
            is_number = column.kind is Kind.NUMBER
            same = np.array_equal(short[column.name], whole[column.name], equal_nan=is_number)
            assert same, column.name


def test_rows_have_every_column_and_no_leak() -> None:
    """In the order of the schema; the invented market's data pass the check."""
    assert list(rows().columns) == [column.name for column in COLUMNS]
    assert table_leaks(rows()) == ()


def test_every_candidate_has_an_outcome_of_its_own() -> None:
    """Chosen or not: as Arms says of it, for each style."""
    table, coin = rows(), invention()
    columns = coin.columns(COLLECTING.limits)
    arms = {
        rule.exits.style: Arms.over(columns, rule, COLLECTING.limits) for rule in COLLECTING.rules
    }
    at_ms = [epoch_ms(at) for at in coin.instants]
    passed_over = np.flatnonzero(
        (table["pick_order"] == 0) & (table["outcome_status"] == "settled")
    )

    for row in passed_over[:: len(passed_over) // 60]:
        seen = at_ms.index(int(table["decision_ms"][row]))
        expiry_ms = round(table["decision_ms"][row] + table["dte"][row] * DAY_MS)
        arm = arms[STYLES[0] if table["exit_style"][row] == STYLES[0] else STYLES[1]]
        outcome = arm.outcome(seen, expiry_ms, float(table["strike"][row]))
        assert table["outcome_reward_coin"][row] == outcome.reward_coin
        assert table["outcome_known_ms"][row] == outcome.known_at_ms
        total = outcome.hodl_usd + outcome.reward_usd
        assert table["outcome_total_usd"][row] == pytest.approx(total, abs=1e-9)
    assert len(passed_over) > 500


def test_the_best_earned_most_and_anything() -> None:
    """At most one of a decision; none where a call is still open."""
    table, best_seen = rows(), 0
    for group in groups_of(table):
        best = group[table["outcome_is_best"][group] == 1]
        reward, status = table["outcome_reward_coin"][group], table["outcome_status"][group]
        assert len(best) <= 1
        if len(best):
            assert table["outcome_reward_coin"][best[0]] == np.nanmax(reward) > 0.0
            assert not np.isin(status, ("open", "unseen")).any()
            best_seen += 1
    assert best_seen > 50


def test_a_decision_without_candidates_is_one_row_a_style() -> None:
    """Nothing passes an impossible filter: the market is told, no call is."""
    params = evolve(COLLECTING.params, filters=evolve(COLLECTING.params.filters, ivrv_min=99.0))
    few = collect(cut(invention(), 5), evolve(COLLECTING, params=params)).table

    assert len(few) == 5 * len(STYLES)
    assert set(few["action"]) == {NO_CANDIDATES}
    assert set(few["instrument"]) == {""}
    assert np.isnan(few["strike"]).all()
    assert (few["spot"] > 0).all()
    decisions = decision_rows(few)
    assert set(decisions["action"]) == {NOTHING}
    assert set(decisions["reason"]) == {"no_candidate"}
    assert table_leaks(few) == ()


def test_decisions_have_one_header_and_a_row_for_each_call_taken() -> None:
    """Those taken in the order they were taken, with what the best would have earned beside."""
    table, decisions = rows(), decision_rows(rows())

    assert list(decisions.columns) == [column.name for column in DECISION_COLUMNS]
    sold = decisions.where(decisions["action"] == SELL)
    assert len(sold) == int((table["pick_order"] > 0).sum())
    known = np.isfinite(sold["outcome_best_reward_coin"]) & np.isfinite(sold["outcome_reward_coin"])
    assert (sold["outcome_best_reward_coin"] >= sold["outcome_reward_coin"])[known].all()
    assert known.sum() > 100


def test_no_outcome_of_a_part_is_known_in_the_next() -> None:
    """Parts come in order with the embargo between them, and nothing reaches over it."""
    table, found = rows(), collected().boundaries
    at = {part: table["decision_ms"][table["split"] == part.value] for part in Split}
    known = {part: table["outcome_known_ms"][table["split"] == part.value] for part in Split}

    assert all(len(part) for part in at.values())
    assert at[Split.VALID].min() - at[Split.TRAIN].max() >= 21 * DAY_MS
    assert at[Split.TEST].min() - at[Split.VALID].max() >= 21 * DAY_MS
    assert known[Split.TRAIN].max() < at[Split.VALID].min() == found.valid_ms
    assert known[Split.VALID].max() < at[Split.TEST].min() == found.test_ms


def test_a_time_too_short_is_not_split() -> None:
    """Forty days hold no three parts with three weeks between them: all is training."""
    table = rows().where(rows()["decision_ms"] < rows()["decision_ms"].min() + 40 * DAY_MS)
    split, found = split_by_time(
        table.having(split=np.full(len(table), Split.TRAIN.value)), SplitParams()
    )

    assert not found.is_split
    assert set(split["split"]) == {Split.TRAIN}


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    """Exploration is drawn from seed, coin and instant alone."""
    coin = cut(invention(), 20)
    other = evolve(COLLECTING, params=evolve(COLLECTING.params, seed=8))
    first, second, third = (collect(coin, what).table for what in (COLLECTING, COLLECTING, other))

    assert np.array_equal(first["pick_order"], second["pick_order"])
    assert not np.array_equal(first["pick_order"], third["pick_order"])
    assert np.array_equal(first["propensity"], third["propensity"], equal_nan=True)


def test_the_card_counts_what_is_there() -> None:
    """Rows, decisions, parts and rewards are those of the table."""
    table = rows()
    card = card_of(table, 21.0, {"hash": "x"})

    assert (card.rows, card.decisions) == (len(table), len(invention().snapshots))
    assert sum(card.splits.values()) == sum(card.actions.values()) == len(table)
    hold = next(each for each in card.styles if each.exit_style == STYLES[0])
    settled = (table["exit_style"] == STYLES[0].value) & (table["outcome_status"] == "settled")
    assert hold.reward_mean == pytest.approx(table["outcome_reward_coin"][settled].mean())


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_recorded_chains_give_rows_without_a_leak(coin: str) -> None:
    """January's real quotes: candidates with greeks and quotes, most with an outcome."""
    table = recorded_rows(coin)
    calls = table.where(table["instrument"] != "")

    assert table_leaks(table) == ()
    assert len(calls) > 1500
    assert (calls["outcome_status"] == "settled").mean() > 0.5
    known = [column.name for column in FEATURES if column.name in ("gamma", "bid", "iv", "score")]
    assert all(np.isfinite(calls[name]).all() for name in known)
