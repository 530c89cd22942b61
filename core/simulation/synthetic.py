"""A market without a network: prices, chains and history invented from one seed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from core.pricing.averaging import mean_terms
from core.pricing.black76 import premium_coin, tenor_years
from core.simulation.listing import deribit_rules, listed_expiries
from core.simulation.perpetual import carry_rate, hours_in
from core.simulation.synthetic_contracts import ListedContracts, contracts_at
from core.simulation.synthetic_model import CoinModel, Smiles, SyntheticCoin
from core.simulation.synthetic_params import CoinParams, SyntheticParams
from core.simulation.synthetic_path import EPOCH, SyntheticPath
from core.simulation.synthetic_quotes import ModelValues, interest, quotes_around
from core.simulation.synthetic_surface import forwards
from ports.chain import ChainTable
from ports.checks import EPOCH as UNIX_EPOCH
from ports.checks import epoch_ms, from_epoch_ms
from ports.clock import Clock
from ports.columns import Floats, Ints, int_column
from ports.errors import Unavailable
from ports.history import Candles, DeliveryPrice
from ports.market_data import MarketSnapshot

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_WINDOW = timedelta(minutes=30)  # the delivery price is the mean of the index over it
_MILLISECOND = timedelta(milliseconds=1)


class SyntheticMarket:
    """
    MarketData and History of an invented market, from 2025 on.

    Everything is a pure function of the seed and the clock's instant: another object, in
    another process, asked in another order, gives the same bits.
    """

    def __init__(
        self, seed: int, clock: Clock, underlyings: Sequence[str], params: SyntheticParams
    ) -> None:
        """
        Invent a market of *underlyings*.

        Raises:
            ValueError: *params* has no figures for one of them.
        """
        models = {
            name: SyntheticCoin(params.coin(name), SyntheticPath(seed, params.coin(name), params))
            for name in underlyings
        }
        self._clock = clock
        self._coins = {
            name: _Coin(seed, params.coin(name), model) for name, model in models.items()
        }

    @classmethod
    def of_models(
        cls, seed: int, clock: Clock, models: Mapping[str, CoinModel], books: SyntheticParams
    ) -> "SyntheticMarket":
        """
        Return the market of coins that *models* say all of but carry, amounts and interest.

        Raises:
            ValueError: *books* has no figures for one of them.
        """
        market = cls(seed, clock, (), books)
        market._coins = {
            name: _Coin(seed, books.coin(name), model) for name, model in models.items()
        }
        return market

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """
        Return the market at the clock's now.

        Raises:
            Unavailable: No such underlying, or now is before the first instant.
        """
        coin, now = self._coin(underlying), self._clock.now()
        if now < EPOCH:
            raise Unavailable(f"the synthetic market starts on {EPOCH:%Y-%m-%d}, it is {now}")
        return coin.snapshot(now)

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """
        Return bars of whole hours, *step* rounded up, in line with midnight UTC of 1970.

        Raises:
            Unavailable: No such underlying.
        """
        return self._coin(underlying).candles(step, start, min(end, self._clock.now()))

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """
        Return the funding by the carry of the forwards; an hour has the rate it begins with.

        Raises:
            Unavailable: No such underlying.
        """
        coin = self._coin(underlying)
        hours = hours_in(max(start, EPOCH), min(end, self._clock.now()))
        return sum((coin.funding_rate(hour) * share for hour, share in hours), 0.0)

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """
        Return the mean of the index over the half hour before *expiry*, once it has passed.

        Raises:
            Unavailable: No such underlying.
        """
        coin = self._coin(underlying)
        if self._clock.now() < expiry or expiry < EPOCH + _WINDOW:
            return None
        return DeliveryPrice(coin.delivery_price(expiry), "index mean")

    def _coin(self, underlying: str) -> "_Coin":
        if underlying not in self._coins:
            raise Unavailable(f"no synthetic market for {underlying!r}")
        return self._coins[underlying]


def snapshot_at(seed: int, book: CoinParams, model: CoinModel, now: datetime) -> MarketSnapshot:
    """Return the market that *model* and *book* make of one coin *now*, not before the epoch."""
    return _Coin(seed, book, model).snapshot(now)


class _Coin:
    """One coin with its model, and the contracts of the hour last asked for."""

    def __init__(self, seed: int, params: CoinParams, model: CoinModel) -> None:
        self._seed = seed
        self._params = params
        self._rules = deribit_rules(params.underlying)
        self._model = model
        self._hour = EPOCH
        self._listed: ListedContracts | None = None
        self._funding_rates: dict[datetime, float] = {}

    def snapshot(self, now: datetime) -> MarketSnapshot:
        index_usd = self._model.index_usd(now)
        contracts = self._contracts(now)
        row = contracts.slice_row
        years = tenor_years(contracts.expiries_ms, epoch_ms(now))
        forward = self._forwards(now, index_usd, contracts.expiries_ms)[row]
        surface = self._model.surface(now, contracts.expiries_ms)
        values = _model_values(contracts, forward, years, surface)
        return MarketSnapshot(
            underlying=self._params.underlying,
            taken_at=now,
            index_usd=index_usd,
            chain=self._chain(now, contracts, forward, values),
            rules=self._rules,
        )

    def candles(self, step: timedelta, start: datetime, end: datetime) -> Candles:
        bar = max(1, ceil(step / _HOUR)) * _HOUR
        first = max((start - UNIX_EPOCH) // bar, -((UNIX_EPOCH - EPOCH) // bar))
        last = (end - UNIX_EPOCH) // bar
        if last <= first:
            return Candles(self._params.underlying, [], [], [], [], [])
        prices = self._model.minute_prices(UNIX_EPOCH + first * bar, UNIX_EPOCH + last * bar)
        inside = prices[:-1].reshape(last - first, -1)
        close = np.append(inside[1:, 0], prices[-1])
        return Candles(
            self._params.underlying,
            closed_at_ms=np.arange(first + 1, last + 1) * (bar // _MILLISECOND),
            open=inside[:, 0],
            high=np.maximum(inside.max(axis=1), close),
            low=np.minimum(inside.min(axis=1), close),
            close=close,
        )

    def funding_rate(self, at: datetime) -> float:
        """The funding of eight hours by the forwards *at* an instant."""
        if at not in self._funding_rates:
            expiries_ms = int_column([epoch_ms(expiry) for expiry in listed_expiries(at)])
            ratio = forwards(self._params, 1.0, tenor_years(expiries_ms, epoch_ms(at)))
            self._funding_rates[at] = carry_rate(expiries_ms, ratio, at)
        return self._funding_rates[at]

    def delivery_price(self, expiry: datetime) -> float:
        """The mean of the index at the 30 minutes up to *expiry*."""
        start = expiry - _WINDOW + _MINUTE
        return float(self._model.minute_prices(start, expiry).mean())

    def _contracts(self, now: datetime) -> ListedContracts:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._listed is None or hour != self._hour:
            self._listed = contracts_at(self._seed, self._params, self._model, hour)
            self._hour = hour
        return self._listed

    def _forwards(self, now: datetime, index_usd: float, expiries_ms: Ints) -> Floats:
        """The forward of each expiry; in its last half hour it turns into the mean, (m,)."""
        years = tenor_years(expiries_ms, epoch_ms(now))
        curve = forwards(self._params, index_usd, years)
        start = from_epoch_ms(int(expiries_ms[0])) - _WINDOW
        if now > start:
            so_far = self._mean_so_far(start, now, index_usd)
            curve[0] = mean_terms(curve[0], years[0], so_far).forward
        return curve

    def _mean_so_far(self, start: datetime, now: datetime, index_usd: float) -> float:
        """The mean of the delivery window from *start*; the minute under way counts in part."""
        minutes = (now - start) / _MINUTE
        whole = int(minutes)
        prices = self._model.minute_prices(start, start + whole * _MINUTE)[1:]
        return float(prices.sum() + (minutes - whole) * index_usd) / minutes

    def _chain(
        self, now: datetime, contracts: ListedContracts, forward: Floats, values: ModelValues
    ) -> ChainTable:
        quotes = quotes_around(self._seed, self._params, now, values, self._rules)
        held = interest(self._params, now, contracts, values, self._rules)
        return ChainTable(
            underlying=self._params.underlying,
            expiry_ms=contracts.expiries_ms[contracts.slice_row],
            strike=contracts.strike,
            is_call=contracts.is_call,
            forward=forward,
            bid=quotes.bid,
            ask=quotes.ask,
            bid_amount=quotes.bid_amount,
            ask_amount=quotes.ask_amount,
            mark=values.mark,
            mark_iv=values.mark_iv,
            open_interest=held.open_interest,
            volume=held.volume,
            quoted_at_ms=np.full(len(forward), epoch_ms(now)),
        )


def _model_values(
    contracts: ListedContracts, forward: Floats, years: Floats, surface: Smiles
) -> ModelValues:
    row = contracts.slice_row
    log_moneyness = np.log(contracts.strike / forward)
    mark_iv = np.sqrt(surface.total_variance(row, log_moneyness) / years[row])
    return ModelValues(
        mark=premium_coin(forward, contracts.strike, years[row], mark_iv, contracts.is_call),
        log_moneyness=log_moneyness,
        years=years[row],
        mark_iv=mark_iv,
        expiry_iv=np.sqrt(surface.theta / years)[row],
    )
