"""How many contracts of a structure: the largest amount that meets every cap, or none."""

from math import floor, inf

from attrs import field, frozen

from core.greg.structures import NoStructure, Structure
from ports.checks import not_negative, positive
from ports.instruments import ContractRules


@frozen(kw_only=True)
class SizeCaps:
    """
    The most of a trade: shares of equity at risk and in short vega, USD of notional.

    *most_strategies* may be open on one coin at a time.
    """

    risk_share: float = field(default=0.02, validator=positive)
    vega_share: float = field(default=0.30, validator=positive)
    most_strategies: int = 2
    position_usd: float = field(default=inf)
    underlying_usd: float = field(default=inf)


@frozen(kw_only=True)
class SizeFacts:
    """
    What caps are measured on, USD: of one contract of the structure its margin, its short vega a
    point and its notional; of the account its equity and what is there already.
    """

    equity_usd: float = field(validator=not_negative)
    margin_usd: float = field(validator=positive)
    vega_usd: float = field(validator=not_negative)
    notional_usd: float = field(validator=positive)
    open_vega_usd: float = field(default=0.0, validator=not_negative)
    open_notional_usd: float = field(default=0.0, validator=not_negative)
    open_strategies: int = 0


def sized(
    structure: Structure, facts: SizeFacts, caps: SizeCaps, rules: ContractRules
) -> Structure | NoStructure:
    """Return *structure* in the largest multiple of the least lot that meets every cap."""
    if facts.open_strategies >= caps.most_strategies:
        return NoStructure(f"{facts.open_strategies} strategies are open on the coin already")
    room = {
        "margin": caps.risk_share * facts.equity_usd / facts.margin_usd,
        "vega": _per(caps.vega_share * facts.equity_usd - facts.open_vega_usd, facts.vega_usd),
        "the cap of a position": caps.position_usd / facts.notional_usd,
        "the cap of the coin": (caps.underlying_usd - facts.open_notional_usd) / facts.notional_usd,
    }
    tightest = min(room, key=lambda name: room[name])
    lots = floor(room[tightest] / rules.min_amount + 1e-9) if room[tightest] < inf else 0
    if lots <= 0:
        return NoStructure(
            f"{tightest} leaves {max(room[tightest], 0.0):.4g} contracts, "
            f"{rules.min_amount:g} is the least"
        )
    return Structure(
        code=structure.code, legs=structure.legs, amount=round(lots * rules.min_amount, 10)
    )


def _per(room_usd: float, each_usd: float) -> float:
    return room_usd / each_usd if each_usd > 0.0 else inf
