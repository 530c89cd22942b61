"""The venue's standard margin of inverse options and futures, in coin."""

from attrs import field, frozen

from ports.checks import positive
from ports.instruments import OptionContract, Settlement


@frozen(kw_only=True)
class MarginRates:
    """
    The figures of the standard margin, shares of the forward; of futures, shares of the coin.

    Published before August 2026; whether they changed since is not known, so they can be set.
    """

    initial: float = field(default=0.15, validator=positive)
    initial_floor: float = field(default=0.10, validator=positive)
    maintenance: float = field(default=0.075, validator=positive)
    future_initial: float = field(default=0.02, validator=positive)  # shares of the coin held
    future_maintenance: float = field(default=0.01, validator=positive)


STANDARD = MarginRates()
_SLOPES = {"BTC": 0.00005, "ETH": 0.000004}  # of a future's margin, a coin held


def initial_margin_coin(
    contract: OptionContract,
    forward: float,
    mark: float,
    size: float,
    rates: MarginRates = STANDARD,
) -> float:
    """
    Return what holding *size* contracts, negative short, needs in coin to be entered.

        short call = max(0.15 - OTM/F, 0.1) + m     OTM = max(K - F, 0)
        short put  = max(max(0.15 - OTM/F, 0.1) + m, maintenance)     OTM = max(F - K, 0)

    Long options need none: their premium is paid at once.

    Units: forward USD per coin; mark m coin per contract. NaN for a short where either is NaN.
    Source: Deribit, standard margin of segregated accounts, as of July 2026.

    Raises:
        ValueError: The contract is linear, whose margin is not known.
    """
    _require_inverse(contract)
    if size >= 0:
        return 0.0
    gap_usd = contract.strike - forward if contract.is_call else forward - contract.strike
    out_of_money = max(gap_usd, 0.0) / forward
    per_contract = max(rates.initial - out_of_money, rates.initial_floor) + mark
    if not contract.is_call:
        per_contract = max(per_contract, _maintenance_per_contract(contract, mark, rates))
    return per_contract * -size


def maintenance_margin_coin(
    contract: OptionContract, mark: float, size: float, rates: MarginRates = STANDARD
) -> float:
    """
    Return what holding *size* contracts, negative short, needs in coin to be kept.

        short call = 0.075 + m     short put = max(0.075, 0.075 m) + m     long = 0

    Units: mark m coin per contract; the forward does not enter. NaN for a short without mark.
    Source: Deribit, standard margin of segregated accounts, as of July 2026.

    Raises:
        ValueError: The contract is linear, whose margin is not known.
    """
    _require_inverse(contract)
    return 0.0 if size >= 0 else _maintenance_per_contract(contract, mark, rates) * -size


def future_initial_coin(underlying: str, size_coin: float, rates: MarginRates = STANDARD) -> float:
    """
    Return what holding futures of *size_coin*, negative short, needs in coin to be entered.

        (2 % + slope |q|) |q|      slope 0.005 % a BTC, 0.0004 % an ETH

    Source: Deribit, standard margin of segregated accounts, as of July 2026.
    """
    return (rates.future_initial + _SLOPES[underlying] * abs(size_coin)) * abs(size_coin)


def future_maintenance_coin(
    underlying: str, size_coin: float, rates: MarginRates = STANDARD
) -> float:
    """
    Return what holding futures of *size_coin*, negative short, needs in coin to be kept.

        (1 % + slope |q|) |q|      slope as of the initial margin

    Source: Deribit, standard margin of segregated accounts, as of July 2026.
    """
    return (rates.future_maintenance + _SLOPES[underlying] * abs(size_coin)) * abs(size_coin)


def _maintenance_per_contract(contract: OptionContract, mark: float, rates: MarginRates) -> float:
    share = 1.0 if contract.is_call else max(mark, 1.0)  # a deep put can exceed one coin
    return rates.maintenance * share + mark


def _require_inverse(contract: OptionContract) -> None:
    if contract.settlement is not Settlement.INVERSE:
        raise ValueError(f"margin is known for inverse options only, was {contract.symbol}")
