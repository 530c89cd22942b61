"""Row 20: arbitrage in the surfaces and quotes of an invented market."""

from datetime import timedelta

import numpy as np
from attrs import frozen

from core.analysis.universe_statistics import TENORS
from core.simulation.synthetic import snapshot_at
from core.simulation.synthetic_params import SyntheticParams
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe.arbitrage import quote_violations
from core.simulation.universe.market import UniverseCoin
from core.simulation.universe.params import CoinUniverse, UniverseParams
from core.simulation.universe.paths import CoinPath
from core.simulation.universe.surface import EssviColumns, surfaces
from ports.columns import Floats

_DAY = timedelta(days=1)
_EVERY_DAYS = 7
_EXPIRIES = np.array([0.3, 1.3, 2.3, *TENORS, 270.0, 365.0])  # days
_DEVIATIONS = np.linspace(-4.0, 4.0, 33)  # of log-moneyness, at the money of the longest expiry
_TOLERANCE = 1e-9


@frozen(kw_only=True)
class ArbitrageFound:
    """
    What was looked at and found: surfaces with a crossing or a butterfly, quotes that are free
    money; *clipped* slices had to be brought back inside before anybody saw them.
    """

    surfaces: int = 0
    crossing: int = 0
    butterfly: int = 0
    clipped: int = 0
    chains: int = 0
    quotes: int = 0
    quote_violations: int = 0

    @property
    def total(self) -> int:
        """All that is wrong."""
        return self.crossing + self.butterfly + self.quote_violations

    def __add__(self, other: "ArbitrageFound") -> "ArbitrageFound":
        return ArbitrageFound(
            surfaces=self.surfaces + other.surfaces,
            crossing=self.crossing + other.crossing,
            butterfly=self.butterfly + other.butterfly,
            clipped=self.clipped + other.clipped,
            chains=self.chains + other.chains,
            quotes=self.quotes + other.quotes,
            quote_violations=self.quote_violations + other.quote_violations,
        )


def surfaces_checked(coin: CoinUniverse, path: CoinPath) -> ArbitrageFound:
    """Return what the surfaces of every seventh midnight of *path* allow, on 33 strikes each."""
    states = path.midnights()[:, ::_EVERY_DAYS]
    days = np.broadcast_to(_EXPIRIES, (states.shape[1], len(_EXPIRIES)))
    surface = surfaces(coin.dynamics, states, _EXPIRIES, days)
    k = np.sqrt(surface.theta[:, -1:, None]) * _DEVIATIONS  # (n, 1, strikes)
    columns = EssviColumns(
        theta=surface.theta[:, :, None], rho=surface.rho[:, :, None], psi=surface.psi[:, :, None]
    )
    w = columns.total_variance(k)
    crossed = (np.diff(w, axis=1) < -_TOLERANCE).any(axis=(1, 2))
    bent = (_butterfly(columns, k, w) < -_TOLERANCE).any(axis=(1, 2))
    return ArbitrageFound(
        surfaces=len(w),
        crossing=int(crossed.sum()),
        butterfly=int(bent.sum()),
        clipped=surface.clipped,
    )


def chains_checked(
    universe: UniverseParams, underlying: str, seed: int, chains: int
) -> ArbitrageFound:
    """Return what the quotes of so many *chains* allow, each of another path and another hour."""
    found, books = ArbitrageFound(), SyntheticParams()
    for number in range(chains):
        at = EPOCH + (1.0 + 17.37 * number) * _DAY
        model = UniverseCoin(seed, universe, underlying, number)
        chain = snapshot_at(seed, books.coin(underlying), model, at).chain
        wrong = quote_violations(chain).total
        found += ArbitrageFound(chains=1, quotes=len(chain), quote_violations=wrong)
    return found


def _butterfly(columns: EssviColumns, k: Floats, w: Floats) -> Floats:
    """
    The density's factor g, which must not be negative.

        g = (1 - k w'/(2w))² - w'²/4 (1/w + 1/4) + w''/2
    """
    theta, rho, phi = columns.theta, columns.rho, columns.psi / columns.theta
    bend = phi * k + rho
    root = np.sqrt(bend**2 + 1.0 - rho**2)
    first = 0.5 * theta * phi * (rho + bend / root)
    second = 0.5 * theta * phi**2 * (1.0 - rho**2) / root**3
    pull = (1.0 - k * first / (2.0 * w)) ** 2
    g: Floats = pull - 0.25 * first**2 * (1.0 / w + 0.25) + 0.5 * second
    return g
