"""Our book against the venue's: what differs, in whole sentences."""

from ports.instruments import Contract, FutureContract, OptionContract
from ports.positions import Book
from ports.trading import Account


def differences(
    book: Book, account: Account, index_usd: float, tolerance_usd: float
) -> tuple[str, ...]:
    """
    Every contract whose size differs by more than *tolerance_usd*: options at the index, futures
    by their USD.

    Trades the venue has told of but not yet listed explain a difference of their size; while
    they are missed, the delivery of an expired contract waits for them and explains the rest.
    """
    ours, theirs, provisional = _ours(book, account), _theirs(account), _provisional(book)
    waiting = _waiting(book, account)
    found = []
    for contract in sorted(ours.keys() | theirs.keys(), key=_order):
        if contract in waiting and contract not in theirs:
            continue
        gap = abs(theirs.get(contract, 0.0) - ours.get(contract, 0.0))
        gap -= provisional.get(contract, 0.0)
        gap_usd = gap if isinstance(contract, FutureContract) else gap * index_usd
        if gap_usd > tolerance_usd:
            found.append(_sentence(contract, ours.get(contract), theirs.get(contract)))
    return tuple(found)


def _ours(book: Book, account: Account) -> dict[Contract, float]:
    """Contracts, or USD of futures, held by our book."""
    sizes: dict[Contract, float] = {}
    for position in book.open_positions(account.underlying):
        for leg in position.open_legs:
            sizes[leg.contract] = sizes.get(leg.contract, 0.0) + leg.size
        if position.future is not None and position.future_usd != 0.0:
            future = position.future.contract
            sizes[future] = sizes.get(future, 0.0) + position.future_usd
    return sizes


def _theirs(account: Account) -> dict[Contract, float]:
    sizes: dict[Contract, float] = {each.contract: each.size for each in account.positions}
    sizes.update({each.contract: each.size_usd for each in account.futures})
    return {contract: size for contract, size in sizes.items() if size != 0.0}


def _provisional(book: Book) -> dict[Contract, float]:
    """What was filled and not booked yet, of every contract."""
    amounts: dict[Contract, float] = {}
    for record in book.orders.values():
        contract = record.intent.contract
        missing = record.filled_amount - record.booked_amount
        amounts[contract] = amounts.get(contract, 0.0) + missing
    return amounts


def _waiting(book: Book, account: Account) -> set[Contract]:
    """Expired options whose delivery waits for trades."""
    contracts = {record.intent.contract for record in book.unsettled}
    return {
        contract
        for contract in contracts
        if isinstance(contract, OptionContract) and contract.expiry <= account.read_at
    }


def _order(contract: Contract) -> tuple[bool, str]:
    """Options by expiry, strike and kind, futures behind them."""
    if isinstance(contract, OptionContract):
        when = f"{contract.expiry:%Y%m%d}{contract.strike:020.4f}{contract.kind}"
        return False, when
    return True, contract.symbol


def _sentence(contract: Contract, ours: float | None, theirs: float | None) -> str:
    if ours is None:
        return f"{contract.symbol}: the venue holds {theirs:+g}, our book does not know it"
    if theirs is None:
        return f"{contract.symbol}: our book holds {ours:+g}, the venue does not"
    return f"{contract.symbol}: our book holds {ours:+g}, the venue {theirs:+g}"
