"""The past of a run: in memory, or run over in parts where it is too large for that."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from attrs import define, field

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import Past
from apps.wiring.backtest_params import (
    backtest_limits,
    call_account,
    call_rule,
    fill_params,
    scoped,
)
from apps.wiring.backtest_past import Hooks, missing_of, prepared_coin
from apps.wiring.market import Market, market_of
from core.backtest.prepared import PreparedCoin, prepare, seen_bytes
from core.backtest.streaming import CallStream, StreamedCoin
from ports.backtest_runs import Omission
from ports.checks import from_epoch_ms
from ports.errors import Unavailable

_BYTES_A_CALL = 200  # of a chain's row and of the columns made of it


async def past_of(settings: Settings, coin: Coin, hooks: Hooks) -> Past:
    """
    The past of *coin* that *settings* name, ready to be run on.

    Where a fast run would hold more chains than backtest_memory_mb, every exit style is run
    over it part by part as it is read, and what came of that is returned; of some of the parts
    where the hooks end it behind one.

    Raises:
        ValueError: The fast engine cannot run what is asked for.

        PortError: There is no such past, or nothing of the period in it.
    """
    if settings.backtest.backtest_engine != "fast":
        return await prepared_coin(settings, coin, hooks)
    mine = scoped(settings, coin)
    market = await market_of(mine, None)
    instants = market.ticks
    length = await _instants_a_part(mine, coin, market)
    if length >= len(instants):
        return await prepared_coin(settings, coin, hooks)
    stream = _Stream.begun(mine, coin, await market_of(mine, None))
    done = 0
    while done < len(instants) and (done == 0 or await hooks.proceed()):
        await stream.read(instants[done : done + length])
        done = min(done + length, len(instants))
        hooks.watch(f"{coin} chains in parts", done, len(instants))
    missing = await missing_of(mine, coin, market, instants[:done])
    return stream.past(missing, is_whole=done == len(instants))


async def _instants_a_part(settings: Settings, coin: Coin, market: Market) -> int:
    """How many snapshots as large as the first that can be read fit into the memory allowed."""
    for at in market.ticks:
        await market.clock.sleep_until(at)
        try:
            chain = (await market.data.snapshot(coin)).chain
        except Unavailable:
            continue
        allowed = 1_000_000 * settings.backtest.backtest_memory_mb
        return max(1, allowed // (_BYTES_A_CALL * max(1, int(chain.is_call.sum()))))
    return len(market.ticks)


@define(eq=False, kw_only=True)
class _Stream:
    """A past as it is read: one run per exit style, and what is told of all parts."""

    settings: Settings
    coin: Coin
    market: Market
    streams: Mapping[str, CallStream]
    instants: list[datetime] = field(factory=list)
    omissions: list[Omission] = field(factory=list)
    pending: set[datetime] = field(factory=set)  # expiries whose delivery is not known yet
    digest: "hashlib._Hash" = field(factory=hashlib.sha256)

    @classmethod
    def begun(cls, settings: Settings, coin: Coin, market: Market) -> "_Stream":
        """Before anything was read."""
        account, limits = call_account(settings, coin), backtest_limits(settings, coin)
        streams: dict[str, CallStream] = {
            style: CallStream(call_rule(settings, style), account, limits)
            for style in settings.backtest.backtest_exit_styles
        }
        return cls(settings=settings, coin=coin, market=market, streams=streams)

    async def read(self, instants: Sequence[datetime]) -> None:
        """Run over the snapshots of *instants*, then let go of them."""
        try:
            prepared = await prepare(
                underlying=self.coin,
                instants=instants,
                clock=self.market.clock,
                market=self.market.data,
                history=self.market.history,
                fills=fill_params(self.settings),
                pending=self.pending,
            )
        except Unavailable as error:  # none of these; there may be others
            self.omissions.append(
                Omission(at=instants[0], subject=self.coin, reason=f"{len(instants)}: {error}")
            )
            return
        columns = prepared.columns(backtest_limits(self.settings, self.coin))
        for stream in self.streams.values():
            stream.feed(columns)
        self._note(prepared)

    def past(self, missing: Sequence[Omission], *, is_whole: bool) -> StreamedCoin:
        """
        What came of all that was read, where *missing* was not there to be.

        Raises:
            Unavailable: Nothing could be.
        """
        if not self.instants:
            raise Unavailable(f"no snapshot of {self.coin} can be read: {self.omissions[0].reason}")
        return StreamedCoin(
            underlying=self.coin,
            instants=tuple(self.instants),
            runs={style: stream.run() for style, stream in self.streams.items()},
            omissions=(*missing, *self.omissions),
            sha256=self.digest.hexdigest(),
            is_whole=is_whole,
        )

    def _note(self, prepared: PreparedCoin) -> None:
        self.instants += prepared.instants
        self.omissions += prepared.omissions
        for snapshot in prepared.snapshots:
            self.digest.update(seen_bytes(snapshot))
            self.pending.update(map(from_epoch_ms, np.unique(snapshot.chain.expiry_ms).tolist()))
        self.pending -= prepared.deliveries.keys()
