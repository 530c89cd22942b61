"""The grid of a perpetual, as its own record at the venue tells it."""

from attrs import evolve

from adapters.deribit.chains import rules_of
from adapters.deribit.client import DeribitClient
from adapters.deribit.models import Instrument
from adapters.deribit.parse import read_as
from ports.errors import Malformed
from ports.instruments import ContractRules, FutureContract


async def perpetual_rules(client: DeribitClient, underlying: str) -> ContractRules:
    """
    Return the grid of the perpetual on *underlying*: amounts in USD, prices in USD per coin.

    Its fees are shares of the coin and are left out.

    Raises:
        Unavailable, Refused: The venue did not tell.

        Malformed: The record is not one of an open inverse future of that name.
    """
    name = FutureContract(underlying).symbol
    answer = await client.read("public/get_instrument", instrument_name=name)
    row = read_as(Instrument, answer)
    told = (row.instrument_name, row.kind, row.instrument_type, row.is_active)
    if told != (name, "future", "reversed", True):
        raise Malformed(f"{answer.method}: asked for {name}, told of {told}")
    try:
        return evolve(rules_of(row), trade_fee_coin=0.0, delivery_fee_coin=0.0)
    except ValueError as error:
        raise Malformed(f"{answer.method}: {name}: {error}") from error
