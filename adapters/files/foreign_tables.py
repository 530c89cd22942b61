"""Option quotes that somebody else recorded, as harvests in our units: CSV, CSV.GZ or Parquet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import nan
from pathlib import Path

import numpy as np
from attrs import frozen

from adapters.files.foreign_columns import ForeignColumns, read_columns
from ports.chain import ChainTable
from ports.checks import epoch_ms, from_epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.errors import StoreDamaged
from ports.instruments import ContractRules, OptionContract, Settlement
from ports.market_data import MarketSnapshot
from ports.snapshots import Harvest, Source, coin_of, settlement_of

_NEEDED = ("time", "forward", "mark", "mark_iv")
_MOST_FRACTION = 5.0  # a median volatility above it is in points: nobody's is 500 %
_STAMPED_ROWS = 20  # rows an instant from which it is that of a snapshot, not of a quote
_PAUSE_MS = 300_000  # between the quotes of two snapshots
_CALLS = frozenset({"c", "call", "calls"})
_PUTS = frozenset({"p", "put", "puts"})


@frozen
class _Terms:
    family: str
    expiry_ms: int
    strike: float
    is_call: bool


@frozen(eq=False, kw_only=True)
class _Table:
    """A whole file in our units, columns (n,); *terms* are None where a row names no option."""

    terms: list[_Terms | None]
    at_ms: Ints
    forward: Floats
    index: Floats
    mark: Floats
    bid: Floats
    ask: Floats
    bid_amount: Floats
    ask_amount: Floats
    mark_iv: Floats
    open_interest: Floats
    volume: Floats
    interest_rate: Floats
    notes: tuple[str, ...]


def read_harvests(
    path: Path, rules: Mapping[str, ContractRules], coin: str | None = None
) -> Iterator[Harvest]:
    """
    Yield the snapshots in *path*, oldest first; *coin* is that of rows which do not say theirs.

    Volatilities become fractions and prices of inverse options coin, once, and the notes of each
    harvest say from what, and what was left out; they name the file and its SHA-256 too. The
    index of a file without one is a proxy: the forward of the nearest expiry. *rules* are those
    of each family; rows of a family without any are left out.

    Raises:
        StoreDamaged: The file cannot be read, lacks a column that nothing can stand in for, or
            has no row that can be used.
    """
    columns = read_columns(path)
    missing = [role for role in _NEEDED if role not in columns.roles]
    if missing:
        raise StoreDamaged(f"{path} has no column of {', '.join(missing)}")
    table = _converted(columns, coin, rules)
    if not any(terms and at_ms > 0 for terms, at_ms in zip(table.terms, table.at_ms, strict=True)):
        reasons = "; ".join(table.notes[1:]) if columns.rows else "no rows"
        raise StoreDamaged(f"{path} has no quote of an option that can be used: {reasons}")
    for rows in _snapshots(table):
        yield from _harvests(table, rows, rules)


def _harvests(
    table: _Table, rows: list[int], rules: Mapping[str, ContractRules]
) -> Iterator[Harvest]:
    """The harvests of one snapshot, a family each."""
    families: dict[str, dict[_Terms, int]] = {}
    repeated = 0
    for row in rows:
        terms = table.terms[row]
        if terms is None:
            continue
        of_family = families.setdefault(terms.family, {})
        repeated += terms in of_family
        of_family.setdefault(terms, row)
    notes = table.notes
    if repeated:
        notes = (*notes, f"{repeated} rows name an option for the second time: left out")
    for family in sorted(families):
        yield _harvest(table, family, families[family], rules[family], notes)


def _harvest(
    table: _Table,
    family: str,
    found: dict[_Terms, int],
    rules: ContractRules,
    notes: tuple[str, ...],
) -> Harvest:
    ordered = sorted(found, key=lambda each: (each.expiry_ms, each.strike, not each.is_call))
    rows = np.array([found[each] for each in ordered], dtype=np.int64)
    quoted_at_ms = table.at_ms[rows]
    chain = ChainTable(
        underlying=coin_of(family),
        settlement=settlement_of(family),
        expiry_ms=[each.expiry_ms for each in ordered],
        strike=[each.strike for each in ordered],
        is_call=[each.is_call for each in ordered],
        forward=table.forward[rows],
        bid=table.bid[rows],
        ask=table.ask[rows],
        bid_amount=table.bid_amount[rows],
        ask_amount=table.ask_amount[rows],
        mark=table.mark[rows],
        mark_iv=table.mark_iv[rows],
        open_interest=table.open_interest[rows],
        volume=table.volume[rows],
        quoted_at_ms=quoted_at_ms,
    )
    told = table.index[rows]
    told = told[told > 0]
    index_usd = float(np.median(told)) if len(told) else _nearest_forward(chain)
    return Harvest(
        market=MarketSnapshot(
            coin_of(family), from_epoch_ms(int(quoted_at_ms.max())), index_usd, chain, rules
        ),
        interest_rate=table.interest_rate[rows],
        index_source=Source.IMPORTED if len(told) else Source.PROXY,
        notes=notes,
    )


def _nearest_forward(chain: ChainTable) -> float:
    known = chain.forward[np.isfinite(chain.forward)]  # rows come by expiry
    if len(known) == 0:
        raise StoreDamaged(f"a snapshot of {chain.underlying} has neither an index nor a forward")
    return float(known[0])


def _converted(
    columns: ForeignColumns, coin: str | None, rules: Mapping[str, ContractRules]
) -> _Table:
    told, at_ms = _terms(columns, coin), columns.instants_ms("time")
    terms = [each if each is not None and each.family in rules else None for each in told]
    strange = Counter(each.family for each in told if each and each.family not in rules)
    counts = {
        "rows name no option": told.count(None),
        **{f"rows are of {each}, whose rules are not known": strange[each] for each in strange},
        "rows have no time": int((at_ms <= 0).sum()),
    }
    notes = [f"imported from {columns.path.name}, sha256 {columns.sha256}", *columns.notes]
    notes += [
        f"{count} of {columns.rows} {reason}: left out" for reason, count in counts.items() if count
    ]
    forward = _above_zero(columns.floats("forward"))
    is_inverse_call = np.array(
        [each is not None and each.is_call and _is_inverse(each) for each in terms], dtype=np.bool_
    )
    mark = columns.floats("mark")
    per_coin = _price_unit(mark, is_inverse_call, forward, notes)
    points = _iv_unit(columns.floats("mark_iv"), notes)
    mark = mark / per_coin
    return _Table(
        terms=terms,
        at_ms=at_ms,
        forward=forward,
        index=_above_zero(columns.floats("index")),
        mark=np.where(mark >= 0, mark, nan),
        bid=_above_zero(columns.floats("bid")) / per_coin,
        ask=_above_zero(columns.floats("ask")) / per_coin,
        bid_amount=_above_zero(columns.floats("bid_amount")),
        ask_amount=_above_zero(columns.floats("ask_amount")),
        mark_iv=_above_zero(columns.floats("mark_iv")) / points,
        open_interest=columns.floats("open_interest"),
        volume=columns.floats("volume"),
        interest_rate=columns.floats("interest_rate"),
        notes=tuple(notes),
    )


def _terms(columns: ForeignColumns, coin: str | None) -> list[_Terms | None]:
    """What each row is of: by its name, or else by coin, expiry, strike and type."""
    if "name" in columns.roles:
        names = columns.texts("name")
        known = {name: _terms_named(name) for name in set(names)}
        return [known[name] for name in names]
    missing = [role for role in ("expiry", "strike", "type") if role not in columns.roles]
    if missing or (coin is None and "family" not in columns.roles):
        lacked = missing or ["coin, which can be named instead"]
        raise StoreDamaged(f"{columns.path} has no names and no column of {', '.join(lacked)}")
    told = zip(
        columns.texts("family"),
        columns.instants_ms("expiry").tolist(),
        columns.floats("strike").tolist(),
        columns.texts("type"),
        strict=True,
    )
    return [_terms_told(coin or family, *rest) for family, *rest in told]


def _terms_named(name: str | None) -> _Terms | None:
    try:
        contract = OptionContract.from_symbol((name or "").strip())
    except ValueError:
        return None
    family = (name or "").strip().partition("-")[0]
    return _Terms(family, epoch_ms(contract.expiry), contract.strike, contract.is_call)


def _terms_told(
    family: str | None, expiry_ms: int, strike: float, kind: str | None
) -> _Terms | None:
    word = (kind or "").strip().lower()
    is_option = word in _CALLS | _PUTS and expiry_ms > 0 and strike > 0
    if not family or not is_option:
        return None
    return _Terms(family.strip().upper(), expiry_ms, strike, word in _CALLS)


def _is_inverse(terms: _Terms) -> bool:
    return settlement_of(terms.family) is Settlement.INVERSE


def _price_unit(mark: Floats, is_call: Bools, forward: Floats, notes: list[str]) -> Floats:
    """What prices are divided by: a call in coin is never worth more than the coin."""
    of_calls = mark[is_call & np.isfinite(mark)]
    if len(of_calls) and float(of_calls.max()) > 1.0:
        notes.append("prices converted from USD to coin by the forward of each row")
        return forward
    return np.ones(len(mark))


def _iv_unit(iv: Floats, notes: list[str]) -> float:
    """What volatilities are divided by to be fractions."""
    known = iv[np.isfinite(iv) & (iv > 0)]
    if len(known) and float(np.median(known)) > _MOST_FRACTION:
        notes.append("volatilities were in points")
        return 100.0
    notes.append("volatilities were fractions")
    return 1.0


def _snapshots(table: _Table) -> Iterator[list[int]]:
    """
    The rows of each snapshot, oldest first.

    Where many rows have one instant it is that of the snapshot. Otherwise rows have clocks of
    their own, and a snapshot is a run without a pause in which no option comes again later.
    """
    usable = np.flatnonzero(table.at_ms > 0)
    rows = usable[np.argsort(table.at_ms[usable], kind="stable")].tolist()
    instants = len(np.unique(table.at_ms[usable]))
    is_stamped = instants > 0 and len(rows) / instants >= _STAMPED_ROWS
    group: list[int] = []
    seen: dict[_Terms | None, int] = {}
    for row in rows:
        at_ms, terms = int(table.at_ms[row]), table.terms[row]
        passed_ms = at_ms - int(table.at_ms[group[-1]]) if group else 0
        comes_again = terms is not None and seen.get(terms, at_ms) != at_ms
        if group and (passed_ms > 0 if is_stamped else passed_ms > _PAUSE_MS or comes_again):
            yield group
            group, seen = [], {}
        group.append(row)
        seen.setdefault(terms, at_ms)
    if group:
        yield group


def _above_zero(column: Floats) -> Floats:
    return np.where(column > 0, column, nan)
