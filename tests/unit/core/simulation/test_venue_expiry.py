"""The simulated venue at and after an expiry."""

import attrs
import pytest

from ports.errors import Refused, Unavailable
from ports.history import DeliveryPrice
from ports.trading import OrderState
from tests.support.markets import DAILY, FRIDAY, NOW, Listed, call, put
from tests.support.venues import VenueRig

SHORT = call(110_000.0)
LONG = put(90_000.0)
FREE = call(100_000.0, DAILY)
ROWS = (
    Listed(contract=SHORT, bid=0.02, ask=0.022, mark=0.021, mark_iv=0.5),
    Listed(contract=LONG, bid=0.02, ask=0.022, mark=0.021, mark_iv=0.5),
    Listed(contract=FREE, bid=0.02, ask=0.022, mark=0.021, mark_iv=0.5),
)
LATER = Listed(contract=call(1e5, FRIDAY.replace(month=6)), mark=0.1, mark_iv=0.5)


async def test_a_position_is_delivered_at_the_price_of_its_expiry() -> None:
    """A short call 10 % in the money pays 10/120 a contract, and the delivery fee."""
    rig = await VenueRig.opened(*ROWS)
    await rig.sell(SHORT, 2.0, 0.02)
    before = (await rig.venue.account("BTC")).balance_coin

    rig.clock.instant = FRIDAY
    rig.history.deliveries[FRIDAY] = DeliveryPrice(120_000.0, "told")
    rig.show(LATER, later_s=0.0)
    account = await rig.venue.account("BTC")

    assert account.positions == ()
    assert account.balance_coin == pytest.approx(before - 2 * (10 / 120 + 0.00015), abs=1e-14)
    assert account.equity_coin == account.balance_coin


async def test_the_delivery_fee_is_capped() -> None:
    """At most an eighth of what the option pays: a hair in the money costs a hair's eighth."""
    rig = await VenueRig.opened(*ROWS)
    await rig.buy(LONG, 1.0, 0.022)
    rig.clock.instant = FRIDAY
    rig.history.deliveries[FRIDAY] = DeliveryPrice(89_991.0, "told")
    rig.show(LATER)

    (delivery,) = (await rig.venue.activity("BTC", NOW)).deliveries

    assert delivery.cash_coin == pytest.approx(9 / 89_991, rel=1e-12)
    assert delivery.fee_coin == pytest.approx(9 / 89_991 / 8, rel=1e-12)


async def test_out_of_the_money_ends_with_nothing() -> None:
    """No cash, no fee, no position."""
    rig = await VenueRig.opened(*ROWS)
    await rig.sell(SHORT, 1.0, 0.02)
    rig.clock.instant = FRIDAY
    rig.history.deliveries[FRIDAY] = DeliveryPrice(110_000.0, "told")
    rig.show(LATER)

    (delivery,) = (await rig.venue.activity("BTC", NOW)).deliveries

    assert (delivery.cash_coin, delivery.fee_coin) == (0.0, 0.0)
    assert (await rig.venue.account("BTC")).positions == ()


async def test_dailies_are_delivered_free() -> None:
    """An expiry that is no Friday has no delivery fee."""
    rig = await VenueRig.opened(*ROWS)
    await rig.buy(FREE, 1.0, 0.022)
    rig.clock.instant = DAILY
    rig.history.deliveries[DAILY] = DeliveryPrice(125_000.0, "told")
    rig.show(*ROWS[:2])

    (delivery,) = (await rig.venue.activity("BTC", NOW)).deliveries

    assert (delivery.delivery_id, delivery.contract) == ("BTC-D1", FREE)
    assert delivery.cash_coin == pytest.approx(0.2, abs=1e-15)
    assert delivery.fee_coin == 0.0


async def test_until_the_price_is_known_the_position_stays() -> None:
    """It is listed at its payoff at the index, and delivered when the price comes."""
    rig = await VenueRig.opened(*ROWS)
    await rig.sell(SHORT, 1.0, 0.02)
    rig.clock.instant = FRIDAY
    market = rig.show(LATER)
    rig.market.show(attrs.evolve(market, index_usd=137_500.0))

    (held,) = (await rig.venue.account("BTC")).positions
    assert (held.contract, held.size) == (SHORT, -1.0)
    assert held.mark == pytest.approx(0.2, abs=1e-15)
    assert (await rig.venue.activity("BTC", NOW)).deliveries == ()

    rig.history.deliveries[FRIDAY] = DeliveryPrice(137_500.0, "told")
    told_at = rig.clock.step(minutes=1)
    (delivery,) = (await rig.venue.activity("BTC", told_at)).deliveries
    assert delivery.at == told_at


async def test_orders_end_with_their_contract() -> None:
    """At expiry what rests is EXPIRED, even where the last market traded through it."""
    rig = await VenueRig.opened(*ROWS)
    placed = await rig.sell(SHORT, 1.0, 0.03)
    staying = await rig.sell(FREE, 1.0, 0.03)

    rig.clock.instant = DAILY
    rig.show(ROWS[0], attrs.evolve(ROWS[2], bid=0.5), later_s=0.0)

    _, ended = await rig.venue.orders_by_label("BTC", "test")
    assert ended == attrs.evolve(staying.order, state=OrderState.EXPIRED)
    assert await rig.venue.open_orders("BTC") == (placed.order,)


async def test_an_expired_book_takes_no_order() -> None:
    """From the expiry on the book is closed, listed or not, delivered or not."""
    rig = await VenueRig.opened(*ROWS)
    await rig.sell(SHORT, 1.0, 0.02)
    rig.clock.instant = FRIDAY

    for rows in (ROWS, (LATER,)):
        rig.show(*rows, later_s=0.0)
        with pytest.raises(Refused, match="13019 orderbook_closed"):
            await rig.buy(SHORT, 1.0, 0.03)


async def test_an_account_that_cannot_be_valued_is_not_answered() -> None:
    """A position without a mark makes the account unavailable, and the message names it."""
    rig = await VenueRig.opened(*ROWS)
    await rig.sell(SHORT, 1.0, 0.02)
    rig.show()

    with pytest.raises(Unavailable, match=SHORT.symbol):
        await rig.venue.account("BTC")
