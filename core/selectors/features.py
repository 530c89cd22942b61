"""Features: what every call of a chain is judged by, as columns."""

from typing import Self

import numpy as np
from attrs import evolve, frozen

from core.pricing.black76 import delta
from ports.chain import ChainTable
from ports.columns import Bools, Floats
from ports.decision_log import Candidate
from ports.market_data import MarketSnapshot


@frozen(kw_only=True, eq=False)
class Features:
    """
    The out-of-the-money calls of one snapshot, a row a call; columns (n,).

    Units: dte days; delta Black-76 on the forward; premium_usd the bid in USD per coin of
    notional; spread_pct percent of mid; ivrv mark IV over realised volatility; NaN not known.
    """

    calls: ChainTable
    index_usd: float
    rv: float
    dte: Floats
    delta: Floats
    premium_usd: Floats
    spread_pct: Floats
    ivrv: Floats

    def __len__(self) -> int:
        return len(self.calls)

    def where(self, mask: Bools) -> Self:
        """The calls for which *mask*, (n,), is true."""
        columns = ("dte", "delta", "premium_usd", "spread_pct", "ivrv")
        rows = {name: getattr(self, name)[mask] for name in columns}
        return evolve(self, calls=self.calls.where(mask), **rows)

    def candidate(self, row: int, score: float) -> Candidate:
        """Row *row* as a value, with its *score*."""
        calls = self.calls
        return Candidate(
            contract=calls.contract(row),
            dte=float(self.dte[row]),
            delta=float(self.delta[row]),
            bid=float(calls.bid[row]),
            ask=float(calls.ask[row]),
            mark=float(calls.mark[row]),
            premium_usd=float(self.premium_usd[row]),
            iv=float(calls.mark_iv[row]),
            rv=self.rv,
            ivrv=float(self.ivrv[row]),
            spread_pct=float(self.spread_pct[row]),
            open_interest=float(calls.open_interest[row]),
            score=score,
        )


def features_of(snapshot: MarketSnapshot, rv: float | None) -> Features:
    """The features of every listed call above the index; *rv* None or zero is not known."""
    chain = snapshot.chain
    calls = chain.where(chain.is_call & (chain.strike > snapshot.index_usd))
    tenor = calls.years_left(snapshot.taken_at)
    vol = rv if rv is not None and rv > 0 else float("nan")
    return Features(
        calls=calls,
        index_usd=snapshot.index_usd,
        rv=vol,
        dte=365.0 * tenor,
        delta=np.asarray(delta(calls.forward, calls.strike, tenor, calls.mark_iv, calls.is_call)),
        premium_usd=calls.bid * snapshot.index_usd,
        spread_pct=200.0 * (calls.ask - calls.bid) / (calls.ask + calls.bid),
        ivrv=calls.mark_iv / vol,
    )
