"""Our book against the venue's: what differs, in whole sentences."""

from ports.instruments import OptionContract
from ports.positions import Book
from ports.trading import Account


def differences(
    book: Book, account: Account, index_usd: float, tolerance_usd: float
) -> tuple[str, ...]:
    """
    Every contract whose size differs by more than *tolerance_usd* at the index.

    The book is about options: futures are not compared. Trades the venue has told of but not
    yet listed explain a difference of their size; while they are missed, the delivery of an
    expired contract waits for them and explains the rest.
    """
    ours: dict[OptionContract, float] = {}
    for position in book.open_positions(account.underlying):
        for leg in position.open_legs:
            ours[leg.contract] = ours.get(leg.contract, 0.0) + leg.size
    theirs = {held.contract: held.size for held in account.positions if held.size != 0.0}
    provisional: dict[OptionContract, float] = {}
    for record in book.orders.values():
        missing = record.filled_amount - record.booked_amount
        contract = record.intent.contract
        if isinstance(contract, OptionContract):
            provisional[contract] = provisional.get(contract, 0.0) + missing
    unsettled = {record.intent.contract for record in book.unsettled}
    waiting = {
        contract
        for contract in unsettled
        if isinstance(contract, OptionContract) and contract.expiry <= account.read_at
    }
    found = []
    for contract in sorted(ours.keys() | theirs.keys()):
        if contract in waiting and contract not in theirs:
            continue
        gap = abs(theirs.get(contract, 0.0) - ours.get(contract, 0.0))
        gap -= provisional.get(contract, 0.0)
        if gap * index_usd > tolerance_usd:
            found.append(_sentence(contract, ours.get(contract), theirs.get(contract)))
    return tuple(found)


def _sentence(contract: OptionContract, ours: float | None, theirs: float | None) -> str:
    if ours is None:
        return f"{contract.symbol}: the venue holds {theirs:+g}, our book does not know it"
    if theirs is None:
        return f"{contract.symbol}: our book holds {ours:+g}, the venue does not"
    return f"{contract.symbol}: our book holds {ours:+g}, the venue {theirs:+g}"
