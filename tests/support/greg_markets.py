"""The markets of the environment matrix, a row each, as sensors."""

from core.context.sensors import Sensors


def market(
    vrp_30d: float,
    vrp_7d: float,
    front: float,
    chop: float,
    rank: float,
    term: float,
    skew: float,
    adx: float,
    rsi: float,
    from_ma: float,
) -> Sensors:
    """The sensors in the order of the specification's environment matrix."""
    return Sensors(
        vrp_30d=vrp_30d,
        vrp_7d=vrp_7d,
        front_rv_iv_ratio=front,
        chop_factor_7d=chop,
        iv_rank_6m=rank,
        term_structure_spread=term,
        skew_25d=skew,
        adx_14d=adx,
        rsi_14d=rsi,
        price_vs_ma200=from_ma,
    )


STRADDLE = market(19, 18, 0.62, 0.52, 0.35, 0.5, 0.5, 14, 51, 3)
STRANGLE = market(12.5, 9, 0.70, 0.68, 0.35, 0.5, -1, 24, 54, 2)
CALENDAR = market(6, 11, 0.64, 0.70, 0.45, 7.5, 1, 21, 50, 1)
SHORT_PUT = market(7, 6, 0.78, 0.72, 0.45, 0, 6.5, 26, 48, 9)
BULL_PUT = market(6.5, 5, 0.80, 0.78, 0.45, 0, 7, 27, 24, -11)
BEAR_CALL = market(6.5, 5, 0.80, 0.78, 0.45, 0, -6.5, 27, 77, 18)
IRON_FLY = market(17, 15, 0.66, 0.55, 0.90, 1, 2, 19, 47, -4)
RUNAWAY = market(19, 18, 0.62, 0.52, 0.35, 0.5, 0.5, 41, 66, 12)
NOTHING = market(4, 3, 0.90, 0.75, 0.40, 0, 1, 22, 50, 0.5)
