"""Which orders the simulated venue takes, and on what terms."""

from math import nan

import attrs
import pytest

from ports.errors import NeverSent, Refused
from ports.instruments import Settlement
from ports.trading import OrderState
from tests.support.markets import FRIDAY, Listed, call, put, snapshot
from tests.support.venues import VenueRig

CALL = call(110_000.0)
PUT = put(90_000.0)
ROW = Listed(contract=CALL, bid=0.03, ask=0.032, mark=0.03, mark_iv=0.6)
PUT_ROW = Listed(contract=PUT, bid=0.02, ask=0.021, mark=0.02, mark_iv=0.6)


async def test_amounts_are_whole_lots() -> None:
    """What a float makes of 0.1 + 0.2 is taken as 0.3 and answered as 0.3."""
    rig = await VenueRig.opened(ROW)

    placed = await rig.sell(CALL, 0.1 + 0.2, 0.03)

    assert (placed.order.amount, placed.order.filled_amount) == (0.3, 0.3)
    assert placed.fills[0].amount == 0.3


@pytest.mark.parametrize(
    ("amount", "price", "message"),
    [
        (0.04, 0.03, "10002 qty_too_low"),
        (0.25, 0.03, "10021 invalid_amount"),
        (0.1, 0.0301, "10043 price_wrong_tick"),
        (0.1, 0.00455, "10043 price_wrong_tick"),
    ],
)
async def test_orders_off_the_grid_are_refused(amount: float, price: float, message: str) -> None:
    """Too small, between steps, between ticks."""
    rig = await VenueRig.opened(ROW)

    with pytest.raises(Refused, match=message):
        await rig.sell(CALL, amount, price)


async def test_linear_options_are_refused() -> None:
    """The account is in coin."""
    rig = await VenueRig.opened(ROW)

    with pytest.raises(Refused, match="10020 invalid_or_unsupported_instrument"):
        await rig.sell(attrs.evolve(CALL, settlement=Settlement.LINEAR), 0.1, 0.03)


@pytest.mark.parametrize(
    ("bid", "ask", "moved_sell", "moved_buy"),
    [
        (0.03, 0.032, 0.0305, 0.0315),
        (0.0049, 0.005, 0.005, 0.0049),  # where the tick widens
        (0.005, 0.0055, 0.0055, 0.005),
        (0.0012, 0.0013, 0.0013, 0.0012),
    ],
)
async def test_post_only_steps_back_from_the_touch(
    bid: float, ask: float, moved_sell: float, moved_buy: float
) -> None:
    """An order that would take is moved one tick beside the quote it would have taken."""
    rig = await VenueRig.opened(attrs.evolve(ROW, bid=bid, ask=ask))

    sell = await rig.sell(CALL, 0.1, bid, post_only=True)
    await rig.venue.cancel(sell.order)
    buy = await rig.buy(CALL, 0.1, ask, post_only=True)

    assert sell.fills == buy.fills == ()
    assert (sell.order.price, buy.order.price) == (moved_sell, moved_buy)


async def test_post_only_that_takes_nothing_stays() -> None:
    """A price that does not cross is kept; so is any price where nothing is quoted."""
    rig = await VenueRig.opened(ROW, attrs.evolve(PUT_ROW, bid=nan, ask=nan))

    assert (await rig.sell(CALL, 0.1, 0.0305, post_only=True)).order.price == 0.0305
    assert (await rig.buy(PUT, 0.1, 0.02, post_only=True)).order.price == 0.02


async def test_post_only_without_room_is_refused() -> None:
    """Nothing can be bid below an ask of one tick."""
    rig = await VenueRig.opened(attrs.evolve(ROW, bid=nan, ask=0.0001))

    with pytest.raises(Refused, match="11021"):
        await rig.buy(CALL, 0.1, 0.0001, post_only=True)


async def test_own_orders_never_meet() -> None:
    """An order that would trade with a resting one of ours is refused, at its price or through."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.1, 0.0315)

    for price in (0.0315, 0.032):
        with pytest.raises(Refused, match="10003 order_overlap"):
            await rig.buy(CALL, 0.1, price)
    assert (await rig.buy(CALL, 0.1, 0.031)).order.state is OrderState.OPEN
    with pytest.raises(Refused, match="10003 order_overlap"):
        await rig.sell(CALL, 0.1, 0.031)


async def test_reduce_only_needs_a_position_to_reduce() -> None:
    """Without one, or on the side that would grow it, the order is refused."""
    rig = await VenueRig.opened(ROW)
    with pytest.raises(Refused, match="11030"):
        await rig.buy(CALL, 0.1, 0.032, reduce_only=True)
    await rig.sell(CALL, 0.5, 0.03)

    with pytest.raises(Refused, match="11030"):
        await rig.sell(CALL, 0.1, 0.03, reduce_only=True)


async def test_reduce_only_never_turns_a_position() -> None:
    """It is clipped to what is held, less what other reduce-only orders are about to take."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.5, 0.03)

    resting = await rig.buy(CALL, 0.2, 0.02, reduce_only=True)
    clipped = await rig.buy(CALL, 5.0, 0.032, reduce_only=True)

    assert resting.order.amount == 0.2
    assert (clipped.order.amount, clipped.order.state) == (0.3, OrderState.FILLED)
    with pytest.raises(Refused, match="11030"):
        await rig.buy(CALL, 0.1, 0.032, reduce_only=True)


async def test_a_resting_reduce_only_order_ends_with_the_position() -> None:
    """What others have closed meanwhile it can only take the rest of; then it is cancelled."""
    rig = await VenueRig.opened(ROW)
    await rig.sell(CALL, 0.5, 0.03)
    await rig.buy(CALL, 0.4, 0.02, reduce_only=True)
    await rig.buy(CALL, 0.3, 0.032)

    rig.show(attrs.evolve(ROW, bid=0.015, ask=0.0155))

    assert (await rig.venue.account("BTC")).positions == ()
    _, order, _ = await rig.venue.orders_by_label("BTC", "test")
    assert await rig.venue.open_orders("BTC") == ()
    assert (order.state, order.filled_amount) == (OrderState.CANCELLED, 0.2)


async def test_a_buy_needs_its_premium_and_fee() -> None:
    """1 coin pays for 31 contracts at 0.032 with 0.0003 each, and not for 0.1 more."""
    rig = await VenueRig.opened(attrs.evolve(ROW, ask=0.0325), deposit_coin=1.0013)

    with pytest.raises(Refused, match="10009 not_enough_funds"):
        await rig.buy(CALL, 31.1, 0.032)
    assert (await rig.buy(CALL, 31.0, 0.032)).order.state is OrderState.OPEN


async def test_resting_buys_have_spoken_for_their_premium() -> None:
    """The second of two buys that together exceed the account is refused."""
    rig = await VenueRig.opened(ROW, deposit_coin=1.0)
    await rig.buy(CALL, 20.0, 0.031)

    with pytest.raises(Refused, match="10009"):
        await rig.buy(CALL, 12.0, 0.031)
    assert (await rig.buy(CALL, 11.9, 0.031)).order.state is OrderState.OPEN


async def test_a_sell_needs_the_margin_that_then_stands() -> None:
    """A short call marked 0.03 needs 0.13: one coin bears 7.6 of them, not 7.7."""
    rig = await VenueRig.opened(ROW, deposit_coin=1.0)

    with pytest.raises(Refused, match="10009 not_enough_funds"):
        await rig.sell(CALL, 7.7, 0.04)
    assert (await rig.sell(CALL, 7.6, 0.04)).order.state is OrderState.OPEN


async def test_resting_sells_need_margin_too() -> None:
    """Two sells are judged together, whether the first is filled or rests."""
    for first_price in (0.03, 0.04):
        rig = await VenueRig.opened(ROW, deposit_coin=1.0)
        await rig.sell(CALL, 5.0, first_price)

        with pytest.raises(Refused, match="10009"):
            await rig.sell(CALL, 2.8, 0.05)
        assert (await rig.sell(CALL, 2.6, 0.05)).order.state is OrderState.OPEN


async def test_selling_what_is_held_needs_nothing() -> None:
    """A sell that ends a long position leaves no short to margin."""
    rig = await VenueRig.opened(ROW, deposit_coin=0.34)
    await rig.buy(CALL, 10.0, 0.032)

    assert (await rig.sell(CALL, 10.0, 0.03)).order.state is OrderState.FILLED


async def test_cover_is_not_lent_twice() -> None:
    """What a resting reduce-only sell will take of a long position covers no other sell."""
    rig = await VenueRig.opened(ROW, deposit_coin=0.34)
    await rig.buy(CALL, 10.0, 0.032)
    resting = await rig.sell(CALL, 10.0, 0.05, reduce_only=True)

    with pytest.raises(Refused, match="10009"):
        await rig.sell(CALL, 10.0, 0.05)
    await rig.venue.cancel(resting.order)
    assert (await rig.sell(CALL, 10.0, 0.05)).order.state is OrderState.OPEN


async def test_the_cover_goes_to_reduce_only_sells_first() -> None:
    """An older sell of a long position is counted short once a reduce-only one takes it all."""
    rig = await VenueRig.opened(ROW, deposit_coin=0.34)
    await rig.buy(CALL, 10.0, 0.032)
    await rig.sell(CALL, 5.0, 0.05)
    await rig.sell(CALL, 10.0, 0.05, reduce_only=True)

    with pytest.raises(Refused, match="10009"):
        await rig.sell(CALL, 1.0, 0.05)


async def test_a_reduce_only_buy_has_spoken_for_nothing() -> None:
    """One coin bears 7.6 short calls, whether buying some back is on order or not."""
    rig = await VenueRig.opened(ROW, deposit_coin=1.0)
    await rig.sell(CALL, 5.0, 0.03)
    await rig.buy(CALL, 5.0, 0.0295, reduce_only=True)

    assert (await rig.sell(CALL, 2.6, 0.05)).order.state is OrderState.OPEN


async def test_a_reduce_only_sell_shorts_nothing() -> None:
    """What it can no longer sell, since the position shrank, needs no margin."""
    rig = await VenueRig.opened(ROW, deposit_coin=0.45)
    await rig.buy(CALL, 10.0, 0.032)
    await rig.sell(CALL, 10.0, 0.05, reduce_only=True)
    rig.show(ROW)
    await rig.sell(CALL, 3.0, 0.03)
    rig.show(ROW)

    assert (await rig.sell(CALL, 1.0, 0.03)).order.state is OrderState.FILLED


async def test_a_short_can_always_be_closed() -> None:
    """Margin may be far above equity: buying back reduce-only is taken all the same."""
    rig = await VenueRig.opened(ROW, deposit_coin=1.0)
    await rig.sell(CALL, 7.0, 0.03)
    rig.show(attrs.evolve(ROW, bid=0.16, ask=0.165, mark=0.16))
    with pytest.raises(Refused, match="10009"):
        await rig.sell(CALL, 0.1, 0.16)

    assert (await rig.buy(CALL, 1.0, 0.165, reduce_only=True)).order.state is OrderState.FILLED


async def test_closing_counts_at_the_mark() -> None:
    """An ordinary buy that ends a deep short needs only what it costs above the mark."""
    rig = await VenueRig.opened(ROW, deposit_coin=1.0)
    await rig.sell(CALL, 4.0, 0.03)
    rig.show(attrs.evolve(ROW, bid=0.2, ask=0.205, mark=0.2))

    assert (await rig.buy(CALL, 4.0, 0.205)).order.state is OrderState.FILLED


async def test_an_account_that_cannot_be_valued_takes_no_risk() -> None:
    """Without a mark for what is held the order never left; nothing is assumed."""
    rig = await VenueRig.opened(ROW, PUT_ROW)
    await rig.sell(CALL, 1.0, 0.03)
    rig.show(attrs.evolve(PUT_ROW, mark_iv=nan))

    with pytest.raises(NeverSent, match=CALL.symbol):
        await rig.sell(PUT, 0.1, 0.02)
    assert len(await rig.venue.orders_by_label("BTC", "test")) == 1


async def test_a_short_without_forward_is_not_margined() -> None:
    """A mark alone does not say what a short needs: the sell never left."""
    rig = await VenueRig.opened(attrs.evolve(ROW, forward=nan))

    with pytest.raises(NeverSent, match="no forward"):
        await rig.sell(CALL, 0.1, 0.03)


async def test_an_empty_account_bears_nothing() -> None:
    """Another coin's account starts at zero."""
    rig = await VenueRig.opened(ROW)
    ether = call(4_000.0, FRIDAY, "ETH")
    row = attrs.evolve(ROW, contract=ether, forward=4_000.0)
    rig.market.show(snapshot(row, underlying="ETH"))

    assert (await rig.venue.account("ETH")).balance_coin == 0.0
    with pytest.raises(Refused, match="10009"):
        await rig.sell(ether, 1.0, 0.03)
