"""How many contracts of a structure: the largest amount that meets every cap, or none."""

from math import floor, inf, isfinite

from attrs import evolve, field, frozen

from core.greg.modes import Mode, ModeState
from core.greg.structures import NoStructure, Structure
from ports.checks import not_negative, positive
from ports.instruments import ContractRules

_ROUNDED = 1e-9  # of a lot


@frozen(kw_only=True)
class SizeCaps:
    """
    The most of an opening. Shares of the coin's equity: at risk in one trade, in short vega, and
    tied up by all that Greg holds. So many strategies and positions may be open on one coin at a
    time. USD of notional, of the position and of the coin's together; infinite binds nothing.
    """

    risk_share: float = field(default=0.02, validator=positive)
    vega_share: float = field(default=0.30, validator=positive)
    equity_share: float = field(default=0.25, validator=positive)
    most_strategies: int = 2
    most_positions: int = 3
    position_usd: float = inf
    underlying_usd: float = inf


def with_notional(caps: SizeCaps, state: ModeState) -> SizeCaps:
    """Return *caps* with those of notional, which bind in live alone."""
    if state.mode is not Mode.LIVE:
        return caps
    notional = state.caps
    return evolve(
        caps, position_usd=notional.per_position_usd, underlying_usd=notional.per_underlying_usd
    )


@frozen(kw_only=True)
class SizeFacts:
    """
    What caps are measured on, USD. Of one contract of the structure: what it may lose, its short
    vega a point, what it ties up, its notional. Of the account: its equity, what Greg's other
    positions on the coin come to, and how many they and their strategies are, that of the
    structure left out.
    """

    equity_usd: float = field(validator=not_negative)
    risk_usd: float = field(validator=not_negative)
    vega_usd: float = field(validator=not_negative)
    tied_usd: float = field(validator=not_negative)
    notional_usd: float = field(validator=positive)
    open_vega_usd: float = field(default=0.0, validator=not_negative)
    open_tied_usd: float = field(default=0.0, validator=not_negative)
    open_notional_usd: float = field(default=0.0, validator=not_negative)
    other_strategies: int = 0
    open_positions: int = 0


def sized(
    structure: Structure,
    facts: SizeFacts,
    caps: SizeCaps,
    rules: ContractRules,
    most: float = inf,
) -> Structure | NoStructure:
    """
    Return *structure* in the largest multiple of the least lot that meets every cap and is at
    most *most* contracts; or the cap that leaves less than one lot.
    """
    if facts.open_positions >= caps.most_positions:
        return NoStructure(
            f"{facts.open_positions} positions are open on the coin already, "
            f"at most {caps.most_positions}"
        )
    if facts.other_strategies >= caps.most_strategies:
        return NoStructure(
            f"{facts.other_strategies} other strategies are open on the coin already, "
            f"at most {caps.most_strategies} are"
        )
    room = {**_room(facts, caps), "the size asked for": most}
    tightest = min(room, key=lambda name: room[name])
    if not isfinite(room[tightest]):
        return NoStructure("no cap says how much")
    lots = floor(room[tightest] / rules.min_amount + _ROUNDED)
    if lots <= 0:
        return NoStructure(
            f"{tightest} leaves {max(room[tightest], 0.0):.4g} contracts, "
            f"{rules.min_amount:g} is the least"
        )
    return evolve(structure, amount=round(lots * rules.min_amount, 10))


def _room(facts: SizeFacts, caps: SizeCaps) -> dict[str, float]:
    """How many contracts each cap leaves."""
    equity = facts.equity_usd
    risk_usd = caps.risk_share * equity
    vega_usd = caps.vega_share * equity - facts.open_vega_usd
    tied_usd = caps.equity_share * equity - facts.open_tied_usd
    notional_usd = caps.underlying_usd - facts.open_notional_usd
    return {
        f"{100.0 * caps.risk_share:g} % of equity at risk": _per(risk_usd, facts.risk_usd),
        f"{100.0 * caps.vega_share:g} % of equity in short vega": _per(vega_usd, facts.vega_usd),
        f"{100.0 * caps.equity_share:g} % of equity tied up": _per(tied_usd, facts.tied_usd),
        "the cap of a position": caps.position_usd / facts.notional_usd,
        "the cap of the coin": notional_usd / facts.notional_usd,
    }


def _per(room_usd: float, each_usd: float) -> float:
    return room_usd / each_usd if each_usd > 0.0 else inf
