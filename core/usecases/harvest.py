"""Harvest: what a venue tells at one instant into an archive, again and again."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
from attrs import define, field, frozen

from core.pricing.greeks import main_greeks
from core.pricing.implied import IvStatus, implied_vol
from ports.clock import Clock
from ports.columns import Floats
from ports.errors import PortError, Severity
from ports.instruments import Settlement
from ports.market_data import MarketSnapshot
from ports.snapshots import DerivedColumns, Harvest, HarvestArchive, HarvestSource, Kept


@frozen(kw_only=True)
class HarvestParams:
    """
    What is harvested and how often; a failure that may pass is met by *tries*, with waits that
    double from *first_wait*, up to *longest_wait*.
    """

    currencies: tuple[str, ...] = ("BTC", "ETH", "USDC")
    interval: timedelta = timedelta(minutes=15)
    tries: int = 4
    first_wait: timedelta = timedelta(seconds=2)
    longest_wait: timedelta = timedelta(seconds=30)


@frozen(kw_only=True)
class KeptFamily:
    """A family that was kept in one pass; *notes* name what it lacks, or what is odd about it."""

    family: str
    kept: Kept
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Failed:
    """A currency that was not read, or a family that was not kept: why, after how many tries."""

    what: str
    reason: str
    severity: Severity
    tries: int


@frozen(kw_only=True)
class HarvestPass:
    """What one pass kept, what it could not, and the currencies in which nothing is listed."""

    started_at: datetime
    ended_at: datetime
    kept: tuple[KeptFamily, ...]
    failed: tuple[Failed, ...]
    empty: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether something was kept and nothing failed."""
        return bool(self.kept) and not self.failed

    @property
    def took(self) -> timedelta:
        return self.ended_at - self.started_at


@define(eq=False, kw_only=True)
class Harvester:
    """Reads *source* and fills *archive*, pass after pass."""

    source: HarvestSource
    archive: HarvestArchive
    clock: Clock
    params: HarvestParams = field(factory=HarvestParams)
    _latest: dict[str, datetime] = field(factory=dict, init=False)  # by family

    async def once(self) -> HarvestPass:
        """
        Read every currency once and keep what is told; name what fails and pass it over.

        An archive that cannot be written, a full disk say, is a failure too, and no end: what
        it had, it has, and the next pass may find room.
        """
        started_at = self.clock.now()
        kept: list[KeptFamily] = []
        failed: list[Failed] = []
        empty: list[str] = []
        for currency in self.params.currencies:
            found = await self._read(currency)
            if isinstance(found, Failed):
                failed.append(found)
                continue
            if not found:
                empty.append(currency)
            for harvest in found:
                outcome = await self._keep(harvest)
                if isinstance(outcome, Failed):
                    failed.append(outcome)
                else:
                    kept.append(outcome)
        return HarvestPass(
            started_at=started_at,
            ended_at=self.clock.now(),
            kept=tuple(kept),
            failed=tuple(failed),
            empty=tuple(empty),
        )

    async def on(self, tell: Callable[[HarvestPass], None], passes: int | None = None) -> int:
        """
        Harvest every interval, *passes* times or for ever, *tell* of each, return how many.

        A pass that takes longer than the interval is followed by the next at once, and no
        missed one is made up for.
        """
        made = 0
        while passes is None or made < passes:
            done = await self.once()
            tell(done)
            made += 1
            if passes is None or made < passes:
                await self.clock.sleep_until(done.started_at + self.params.interval)
        return made

    async def _read(self, currency: str) -> Sequence[Harvest] | Failed:
        """What the source tells of *currency*; tried again while that may help."""
        wait, tried = self.params.first_wait, 0
        while True:
            tried += 1
            try:
                return await self.source.harvest(currency)
            except PortError as error:
                if error.severity is not Severity.TRANSIENT or tried >= self.params.tries:
                    return Failed(
                        what=currency, reason=str(error), severity=error.severity, tries=tried
                    )
            await self.clock.sleep_until(self.clock.now() + wait)
            wait = min(2 * wait, self.params.longest_wait)

    async def _keep(self, harvest: Harvest) -> KeptFamily | Failed:
        taken_at, family, notes = harvest.market.taken_at, harvest.family, harvest.notes
        latest = self._latest.get(family)
        if latest is not None and taken_at <= latest:
            notes = (*notes, f"the venue's clock went back: {taken_at} after {latest}")
        self._latest[family] = taken_at if latest is None else max(latest, taken_at)
        try:
            kept = await self.archive.keep(harvest, derive(harvest.market))
        except PortError as error:
            return Failed(what=family, reason=str(error), severity=error.severity, tries=1)
        return KeptFamily(family=family, kept=kept, notes=notes)


def derive(market: MarketSnapshot) -> DerivedColumns:
    """
    Volatilities of bid and ask, and greeks at the mark's, by Black-76 on each row's forward.

    NaN where a quote is missing or has no volatility: at or below its intrinsic value, or above
    what an option can be worth.
    """
    chain = market.chain
    tenor = chain.years_left(market.taken_at)
    terms = chain.forward, chain.strike, tenor
    # A linear premium in USDC over the forward is what an inverse one would be in coin.
    per_coin = chain.forward if chain.settlement is Settlement.LINEAR else 1.0
    greeks = main_greeks(*terms, chain.mark_iv, chain.is_call)

    def vol_of(price: Floats) -> Floats:
        iv, status = implied_vol(price / per_coin, *terms, chain.is_call)
        return np.where(status == IvStatus.OK, iv, np.nan)

    return DerivedColumns(
        bid_iv=vol_of(chain.bid),
        ask_iv=vol_of(chain.ask),
        delta=greeks.delta,
        gamma=greeks.gamma,
        theta=greeks.theta,
        vega=greeks.vega,
    )
