"""Files of fitted universes, and the one that is shipped."""

from importlib import resources
from pathlib import Path

from attrs import evolve

from core.simulation.universe.documents import CODEC
from core.simulation.universe.params import CoinUniverse, UniverseParams
from ports.codec import from_json, to_json
from ports.errors import StoreDamaged, Unavailable

_SHIPPED = "universe.json"  # beside this module: fitted to prices and DVOL of 2022 to 2025


def universe_of(path: Path | None) -> UniverseParams:
    """
    Return the universe in the file at *path*, the shipped one for None.

    Raises:
        Unavailable: There is no such file.

        StoreDamaged: It holds no universe.
    """
    try:
        text = (
            (resources.files("apps.wiring") / _SHIPPED).read_text(encoding="utf-8")
            if path is None
            else path.read_text(encoding="utf-8")
        )
    except OSError as error:
        raise Unavailable(f"no universe at {path}: {error.strerror}") from error
    try:
        universe = CODEC.decode(from_json(text))
    except ValueError as error:
        raise StoreDamaged(f"{path}: {error}") from error
    if not isinstance(universe, UniverseParams):
        raise StoreDamaged(f"{path} holds no universe")
    return universe


def with_coin(path: Path, coin: CoinUniverse) -> str:
    """
    Return the document of the universe at *path* with *coin* in it, alone if there is no file.

    Raises:
        StoreDamaged: The file holds no universe.
    """
    universe = universe_of(path) if path.exists() else UniverseParams(coins=())
    others = tuple(each for each in universe.coins if each.underlying != coin.underlying)
    coins = tuple(sorted((*others, coin), key=lambda each: each.underlying))
    return f"{to_json(CODEC.encode(evolve(universe, coins=coins)))}\n"
