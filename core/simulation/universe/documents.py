"""The written form of universes."""

from core.simulation.universe.params import UniverseParams
from ports.codec import Codec

CODEC = Codec.of((UniverseParams,))
