"""DeribitHarvest: everything of one currency in one pass, by the venue's public methods."""

from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
from math import isfinite, nan
from typing import TypeVar

from attrs import define, evolve, field, frozen
from pydantic import ValidationError

from adapters.deribit.book_columns import BookColumns, read_books
from adapters.deribit.chains import rules_of
from adapters.deribit.client import DeribitClient
from adapters.deribit.harvest_models import FutureSummary, VolIndexBars
from adapters.deribit.models import DeliveryPrices, IndexPrice, Instrument
from adapters.deribit.parse import COINS, read_as, rows_as
from adapters.deribit.rpc import Answer
from ports.checks import epoch_ms
from ports.errors import Malformed, PortError, Unavailable
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot
from ports.snapshots import Delivered, FutureQuote, Harvest, MarketLevels

CURRENCIES = (*COINS, "USDC")
_RULES_LAST = timedelta(minutes=15)
_DELIVERIES = 10  # the fewest that the venue gives at once
_DVOL_REACH = timedelta(minutes=10)
_DVOL_BAR_S = "60"
_NONE: tuple[str, ...] = ()
_Found = TypeVar("_Found")


@frozen(eq=False)
class _Rules:
    read_at: datetime
    by_family: Mapping[str, ContractRules]


@define(eq=False, kw_only=True)
class DeribitHarvest:
    """
    HarvestSource by public methods; no credentials.

    One call brings all options of a currency, and with it the instant and the index; others
    bring futures and perpetuals, DVOL and delivery prices, and what fails of them is a note.
    The grids are asked for every quarter of an hour.
    """

    client: DeribitClient
    _rules: dict[str, _Rules] = field(factory=dict, init=False)

    async def harvest(self, currency: str) -> tuple[Harvest, ...]:
        """See HarvestSource; Unauthorised or Refused if the venue turns us away."""
        if currency not in CURRENCIES:
            raise Unavailable(f"options are traded in {', '.join(CURRENCIES)}, not in {currency}")
        answer = await self._asked_for(currency, "option")
        if answer.result == []:
            return ()
        read = read_books(answer.result, answer.method)
        rules = await self._rules_of(currency, answer.answered_at)
        futures, notes = await _noted("futures", self._futures(currency), ())
        harvests: list[Harvest] = []
        for family, columns in read.families.items():
            if family not in rules:
                notes = (*notes, f"{family}: left out, the venue does not list its contracts")
                continue
            one = await self._family(family, columns, rules[family], answer.answered_at)
            mine = tuple(each for each in futures if each.symbol.startswith(f"{family}-"))
            levels = evolve(one.levels, futures=mine)
            harvests.append(evolve(one, levels=levels, notes=(*read.notes, *notes, *one.notes)))
        if not harvests:
            raise Malformed(f"{currency}: no family of options can be used: {'; '.join(notes)}")
        return tuple(harvests)

    async def _family(
        self, family: str, columns: BookColumns, rules: ContractRules, taken_at: datetime
    ) -> Harvest:
        index_usd = columns.index_usd
        if not isfinite(index_usd):
            index_usd = await self._index(family)
        dvol, missing = nan, _NONE
        if family in COINS:
            dvol, missing = await _noted("DVOL", self._dvol(family, taken_at), nan)
        delivered, more = await _noted("delivery prices", self._delivered(family), ())
        chain = columns.chain
        return Harvest(
            market=MarketSnapshot(chain.underlying, taken_at, index_usd, chain, rules),
            interest_rate=columns.interest_rate,
            levels=MarketLevels(dvol=dvol, delivered=delivered),
            notes=(*missing, *more),
        )

    async def _asked_for(self, currency: str, kind: str) -> Answer:
        method = "public/get_book_summary_by_currency"
        return await self.client.read(method, currency=currency, kind=kind)

    async def _rules_of(self, currency: str, now: datetime) -> Mapping[str, ContractRules]:
        known = self._rules.get(currency)
        if known is None or now - known.read_at > _RULES_LAST:
            answer = await self.client.read(
                "public/get_instruments", currency=currency, kind="option", expired=False
            )
            known = self._rules[currency] = _Rules(answer.answered_at, _rules_in(answer))
        return known.by_family

    async def _futures(self, currency: str) -> tuple[FutureQuote, ...]:
        rows = rows_as(FutureSummary, await self._asked_for(currency, "future"))
        quotes = [
            FutureQuote(
                symbol=row.instrument_name,
                bid=row.bid_price,
                ask=row.ask_price,
                mark=row.mark_price,
                open_interest=row.open_interest,
                volume_usd=row.volume_usd,
                current_funding=row.current_funding,
                funding_8h=row.funding_8h,
            )
            for row in rows
        ]
        return tuple(sorted(quotes, key=lambda quote: (not quote.is_perpetual, quote.symbol)))

    async def _index(self, family: str) -> float:
        answer = await self.client.read("public/get_index_price", index_name=_index_name(family))
        return read_as(IndexPrice, answer).index_price

    async def _dvol(self, coin: str, now: datetime) -> float:
        """The newest close; NaN where the last minutes have none."""
        answer = await self.client.read(
            "public/get_volatility_index_data",
            currency=coin,
            resolution=_DVOL_BAR_S,
            start_timestamp=epoch_ms(now - _DVOL_REACH),
            end_timestamp=epoch_ms(now),
        )
        bars = read_as(VolIndexBars, answer).data
        return bars[-1][4] if bars else nan

    async def _delivered(self, family: str) -> tuple[Delivered, ...]:
        answer = await self.client.read(
            "public/get_delivery_prices",
            index_name=_index_name(family),
            offset=0,
            count=_DELIVERIES,
        )
        rows = read_as(DeliveryPrices, answer).data
        return tuple(Delivered(row.date, row.delivery_price) for row in rows)


def _index_name(family: str) -> str:
    return family.lower() if "_" in family else f"{family.lower()}_usd"


def _rules_in(answer: Answer) -> Mapping[str, ContractRules]:
    """The rules of the first readable contract of each family: nearly all have the same."""
    if not isinstance(answer.result, list):
        raise Malformed(f"{answer.method}: the result is not a list")
    found: dict[str, ContractRules] = {}
    for told in answer.result:
        family = _family_told(told)
        if family is None or family in found:
            continue
        try:
            found[family] = rules_of(Instrument.model_validate(told))
        except (ValidationError, ValueError):
            continue
    return found


def _family_told(told: object) -> str | None:
    name = told.get("instrument_name") if isinstance(told, dict) else None
    return name.partition("-")[0] if isinstance(name, str) else None


async def _noted(
    what: str, reading: Awaitable[_Found], otherwise: _Found
) -> tuple[_Found, tuple[str, ...]]:
    """What is read, or *otherwise* with the reason why: the chain is worth having without it."""
    try:
        return await reading, ()
    except PortError as error:
        return otherwise, (f"{what} not read: {error}",)
