"""Variants of the position rules that look at more than marks and spot."""

from datetime import UTC, datetime, timedelta
from math import inf, log, nan, nextafter

import pytest
from attrs import evolve

from core.context.sensor_values import MarketFacts
from core.greg.advice import Advice, GregPosition
from core.greg.catalogue import StrategyCode
from core.greg.guard_facts import guard_facts
from core.greg.holdings import HeldLeg, Holding, position_of
from core.greg.management import PositionVariant
from core.greg.positions import advise
from core.greg.variant_facts import with_variant_facts
from ports.instruments import OptionContract, OptionKind
from tests.support.sensing import chain_at, smile

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARKET = chain_at(NOW, (10.0, 37.0))
_HOLD, _CLOSE = Advice.HOLD, Advice.CLOSE
BULL_PUT = GregPosition(
    position_id="p1",
    code=StrategyCode.BULL_PUT,
    underlying="BTC",
    spot_price=94_000.0,
    short_strike=95_000.0,
    profit_pct=0.1,
)
BEAR_CALL = evolve(
    BULL_PUT, code=StrategyCode.BEAR_CALL, spot_price=106_000.0, short_strike=105_000.0
)


def leg(kind: OptionKind, strike: float, size: float, days: float = 37.0) -> HeldLeg:
    """A leg sold or bought at 0.05 coin."""
    contract = OptionContract("BTC", NOW + timedelta(days=days), strike, kind)
    return HeldLeg(contract, size, 0.05)


def held(code: StrategyCode, *legs: HeldLeg) -> Holding:
    """A position of *legs*."""
    return Holding(
        position_id=f"greg-{code}", code=code, underlying="BTC", legs=legs, opened_at=NOW
    )


@pytest.mark.parametrize(
    ("position", "limit", "advices"),
    [
        (BULL_PUT, 95_000.0, (_CLOSE, _CLOSE, _HOLD)),
        (BEAR_CALL, 105_000.0, (_HOLD, _CLOSE, _CLOSE)),
    ],
)
def test_a_touch_needs_two_prints(
    position: GregPosition, limit: float, advices: tuple[Advice, ...]
) -> None:
    """The one before counts like the last, at its limit too; an unknown one confirms nothing."""
    variants = {PositionVariant.CONFIRMED_TOUCH}
    values = (nextafter(limit, -inf), limit, nextafter(limit, inf))
    found = [advise(evolve(position, earlier_price=each), variants=variants) for each in values]
    wick = advise(evolve(position, spot_price=100_000.0, earlier_price=limit), variants=variants)
    unknown = advise(position, variants=variants)

    assert [each.action for each in found if each] == list(advices)
    assert wick is not None
    assert wick.action is _HOLD
    assert unknown is not None
    assert unknown.data_missing == ("earlier_price",)
    plain = advise(position)
    assert plain is not None
    assert plain.action is _CLOSE


def test_profit_may_be_that_of_quotes() -> None:
    """In place of marks, for profit and loss alike; unquoted is unknown, and held."""
    straddle = GregPosition(
        position_id="p1",
        code=StrategyCode.STRADDLE,
        underlying="BTC",
        net_delta=0.0,
        dte=30.0,
        profit_pct=0.55,
        loss_pct=0.0,
        quoted_profit_pct=0.45,
        quoted_loss_pct=2.0,
    )
    variants = {PositionVariant.SPREAD_HAIRCUT}
    plain, quoted = advise(straddle), advise(straddle, variants=variants)
    blind = advise(evolve(straddle, quoted_loss_pct=None), variants=variants)

    assert plain is not None
    assert plain.action is Advice.TAKE_PROFIT
    assert quoted is not None
    assert (quoted.action, quoted.metrics["profit_pct"]) == (_CLOSE, 0.45)
    assert blind is not None
    assert blind.data_missing == ("loss_pct",)


def test_strikes_may_be_compared_with_the_forward() -> None:
    """Of the expiry, where it lies on the other side of a strike than spot does."""
    position = evolve(BULL_PUT, forward_price=96_000.0)
    found = advise(position, variants={PositionVariant.FORWARD_PRICE})

    assert found is not None
    assert (found.action, found.metrics["spot_price"]) == (_HOLD, 96_000.0)
    blind = advise(BULL_PUT, variants={PositionVariant.FORWARD_PRICE})
    assert blind is not None
    assert blind.data_missing == ("spot_price",)


def test_quotes_cost_a_quarter_of_the_spread_a_leg() -> None:
    """What is short is bought back above its mid, what is long is sold below; spreads are 0.001."""
    short, long = leg(OptionKind.PUT, 96_000.0, -0.5), leg(OptionKind.PUT, 90_000.0, 0.5)
    spread = held(StrategyCode.BULL_PUT, evolve(short, entry_coin=0.06), long)
    marked = position_of(spread, MARKET, NOW)
    found = with_variant_facts(marked, spread, MARKET, MarketFacts(earlier_price=99_000.0))

    assert found.quoted_profit_pct is not None
    assert marked.profit_pct is not None
    lost = 2 * 0.5 * 0.25 * 0.001 / spread.credit_coin
    assert found.quoted_profit_pct == pytest.approx(marked.profit_pct - lost)
    assert found.quoted_loss_pct == pytest.approx(max(0.0, -found.quoted_profit_pct))
    assert (found.earlier_price, found.forward_price) == (99_000.0, 100_000.0)
    assert evolve(marked, earlier_price=99_000.0) == evolve(
        found, quoted_profit_pct=None, quoted_loss_pct=None, forward_price=None
    )


def test_what_is_not_quoted_is_unknown() -> None:
    """A leg without a bid, one that is not listed, and a position without shorts."""
    put = held(StrategyCode.SHORT_PUT, leg(OptionKind.PUT, 96_000.0, -0.5))
    chain = evolve(MARKET.chain, bid=MARKET.chain.bid * nan)
    for seen in (evolve(MARKET, chain=chain), chain_at(NOW, (10.0,))):
        found = with_variant_facts(position_of(put, seen, NOW), put, seen, MarketFacts())
        assert (found.quoted_profit_pct, found.quoted_loss_pct) == (None, None)
    long = held(StrategyCode.CALENDAR, leg(OptionKind.CALL, 100_000.0, 1.0))
    found = with_variant_facts(position_of(long, MARKET, NOW), long, MARKET, MarketFacts())
    assert found.forward_price is None
    assert found.quoted_loss_pct is None


def test_guards_hear_of_the_position() -> None:
    """Volatilities of front and back, the lost share of a debit, and what is in the money."""
    calendar = held(
        StrategyCode.CALENDAR,
        leg(OptionKind.CALL, 90_000.0, -1.0, 10.0),
        evolve(leg(OptionKind.CALL, 90_000.0, 1.0), entry_coin=0.09),
    )
    facts = position_of(calendar, MARKET, NOW)
    market = MarketFacts(index_hour_pct=-6.0, index_day_pct=-3.0, vol_index_day_points=4.0)
    found = guard_facts(evolve(facts, profit_pct=-0.4), calendar, MARKET, market)

    assert found.front_iv == pytest.approx(100.0 * smile(10.0, log(0.9)))
    assert found.back_iv == pytest.approx(100.0 * smile(37.0, log(0.9)))
    assert (found.loss_of_debit, found.is_in_the_money) == (0.4, True)
    assert found.hours_to_expiry == 240.0
    assert (found.index_hour_pct, found.vol_index_day_points) == (-6.0, 4.0)
    put = held(StrategyCode.SHORT_PUT, leg(OptionKind.PUT, 100_000.0, -1.0))
    at_the_money = guard_facts(position_of(put, MARKET, NOW), put, MARKET, MarketFacts())
    assert (at_the_money.loss_of_debit, at_the_money.is_in_the_money) == (None, False)
    assert (at_the_money.iv_since_entry, at_the_money.market_cap_pct) == (None, None)


@pytest.mark.parametrize("position", [BULL_PUT, BEAR_CALL])
def test_facts_of_variants_change_nothing_when_off(position: GregPosition) -> None:
    """Whatever they are."""
    told = evolve(
        position,
        earlier_price=1.0,
        forward_price=1e6,
        quoted_profit_pct=9.0,
        quoted_loss_pct=9.0,
    )
    assert advise(told) == advise(position)
