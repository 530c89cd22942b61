"""What happens at the exchange while time passes, whether anybody calls or not."""

from datetime import datetime

from apps.exchange.exchange import Exchange
from apps.exchange.guarding import protect
from apps.exchange.trading import follow
from apps.exchange.triggers import fire


async def go_on(exchange: Exchange, since: datetime) -> None:
    """
    Let everything happen that was due after *since*: fills, deliveries, settlements, triggers,
    prices that follow the market, protection, the end of days.

    Raises:
        Unavailable: The market or its past does not answer.
    """
    await exchange.catch_up()
    for coin in exchange.params.coins:
        await fire(exchange, coin)
        await follow(exchange, coin)
        await protect(exchange, coin)
    if exchange.last_settlement > since:
        await exchange.end_day()
