"""The columns of training data: what each means, and which instant it was known at."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from ports.columns import Bools

VERSION = 1
Cells: TypeAlias = NDArray[Any]  # int64, float64 or text, (n,)


class Block(StrEnum):
    """What a column is for: only features may ever be shown to a model."""

    KEY = "key"
    STAMP = "stamp"  # when what features rest on was known, ms from 1970; 0 is no source
    FEATURE = "feature"
    CHOICE = "choice"  # what the collecting policy did
    OUTCOME = "outcome"  # what came of it, known only later
    SPLIT = "split"


class Kind(StrEnum):
    """What the cells are."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"


DTYPES: Mapping[Kind, type[np.generic]] = {
    Kind.TEXT: np.str_,
    Kind.WHOLE: np.int64,
    Kind.NUMBER: np.float64,
}
EMPTY: Mapping[Kind, str | int | float] = {Kind.TEXT: "", Kind.WHOLE: 0, Kind.NUMBER: np.nan}


@frozen
class Column:
    """One column; of a feature, *stamp* names the column that says when it was known."""

    name: str
    block: Block
    kind: Kind
    meaning: str
    stamp: str = ""


@frozen(eq=False)
class Table:
    """Columns by name, all (n,)."""

    columns: Mapping[str, Cells]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Cells:
        return self.columns[name]

    def where(self, mask: "Bools | Cells") -> "Table":
        """The rows that *mask*, bool (n,), or row numbers choose."""
        return evolve(self, columns={name: cells[mask] for name, cells in self.columns.items()})

    def having(self, **cells: Cells) -> "Table":
        """The same with *cells* in place of the columns of their names, or beside them."""
        return evolve(self, columns={**self.columns, **cells})


SELL, SKIP, NO_CANDIDATES, NO_TRADE = "SELL_CALL", "SKIP", "NO_CANDIDATES", "NO_TRADE"
NOTHING = "DO_NOTHING"


class Split(StrEnum):
    """Which part of time a row is of; what an embargo takes is of none."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"
    EMBARGO = "embargo"


class Status(StrEnum):
    """How far the story of a call goes; without a call there is none, the empty text."""

    SETTLED = "settled"  # to its end
    OPEN = "open"  # the data end before it does
    UNSOLD = "unsold"  # risk would refuse the sale
    UNSEEN = "unseen"  # the data end before the sale


def table_of(text: str, block: Block) -> tuple[Column, ...]:
    """The columns that the lines of *text* are: name | kind | stamp | meaning."""
    lines = (line for line in text.strip().splitlines() if line.strip())
    found = []
    for line in lines:
        name, kind, stamp, meaning = (part.strip() for part in line.split("|", 3))
        found.append(Column(name, block, Kind(kind), meaning, stamp))
    return tuple(found)


_KEYS = """
decision_time | text | | when the decision was made, UTC; it saw nothing later
decision_ms | whole | | the same, milliseconds from 1970
underlying | text | | coin
exit_style | text | | how a call that is sold is ended
strategy | text | | profile whose band the call is in
instrument | text | | the venue's name of the call; empty where there is no candidate
"""
_STAMPS = """
chain_as_of_ms | whole | | when the chain was taken
market_as_of_ms | whole | | the later of the chain and the last bar that was closed
quote_as_of_ms | whole | | when the call was last quoted; 0 where there is none
"""
_CALL_FEATURES = """
strike | number | chain_as_of_ms | USD per coin
dte | number | chain_as_of_ms | days to expiry
otm_pct | number | chain_as_of_ms | strike above the index, percent
forward | number | chain_as_of_ms | forward of the expiry, USD per coin
delta | number | chain_as_of_ms | Black-76 delta
gamma | number | chain_as_of_ms | delta per USD
vega | number | chain_as_of_ms | USD per vol point
theta | number | chain_as_of_ms | USD per day
iv | number | chain_as_of_ms | implied volatility of the mark, a fraction
ivrv_ratio | number | market_as_of_ms | the same over realised volatility
bid | number | quote_as_of_ms | coin per contract
ask | number | quote_as_of_ms | coin per contract
mark | number | chain_as_of_ms | coin per contract
spread_pct | number | quote_as_of_ms | ask less bid, percent of their middle
premium_usd | number | quote_as_of_ms | bid in USD
premium_pct | number | quote_as_of_ms | bid, percent of the coin
open_interest | number | chain_as_of_ms | contracts
volume | number | chain_as_of_ms | contracts in a day
score | number | market_as_of_ms | points that the profile of the call gives it
"""
_MARKET_FEATURES = """
spot | number | chain_as_of_ms | index, USD per coin
regime | text | market_as_of_ms | bull, bear, sideways or unknown
return_1d_pct | number | market_as_of_ms | percent
return_7d_pct | number | market_as_of_ms | percent
return_30d_pct | number | market_as_of_ms | percent
realized_vol_7d | number | market_as_of_ms | a fraction a year
realized_vol_30d | number | market_as_of_ms | a fraction a year
pct_from_50d_ma | number | market_as_of_ms | percent
pct_from_200d_ma | number | market_as_of_ms | percent
vrp_30d | number | market_as_of_ms | implied less realised volatility, points
vrp_7d | number | market_as_of_ms | implied less realised volatility, points
front_rv_iv_ratio | number | market_as_of_ms | realised over implied volatility of a week
chop_factor_7d | number | market_as_of_ms | realised of a week over implied of a month
iv_rank_6m | number | market_as_of_ms | 0 to 1
term_structure_spread | number | market_as_of_ms | front over back month, points
skew_25d | number | market_as_of_ms | IV of the put less the call, points
adx_14d | number | market_as_of_ms | 0 to 100
rsi_14d | number | market_as_of_ms | 0 to 100
price_vs_ma200 | number | market_as_of_ms | percent
predicted_funding_rate | number | market_as_of_ms | a fraction of eight hours
"""
_CHOICES = """
action | text | | SELL_CALL, SKIP or NO_CANDIDATES
candidates | whole | | how many there were to choose from
pick_order | whole | | 1 for the first call taken, and so on; 0 is not taken
propensity | number | | probability that the policy takes this call here
"""
_OUTCOMES = """
outcome_status | text | | settled, open, unsold, unseen, or none where there is no call
outcome_filled_ms | whole | | when it was sold; 0 is never
outcome_known_ms | whole | | when all of this was known; 0 is not yet
outcome_reason | text | | why it ended
outcome_legs | whole | | calls sold in turn, rolls included
outcome_reward_coin | number | | the calls after fees, coin per contract
outcome_reward_usd | number | | the same, each flow at the index of its instant
outcome_hodl_usd | number | | what the coin held gained
outcome_total_usd | number | | coin and calls together
outcome_max_drawdown_pct | number | | of coin and calls, at marks
outcome_is_best | whole | | 1 where no other candidate earned more, and this one anything
"""
_SPLIT = "split | text | | train, valid, test or embargo"

CALL_FEATURES = table_of(_CALL_FEATURES, Block.FEATURE)
MARKET_FEATURES = table_of(_MARKET_FEATURES, Block.FEATURE)
FEATURES = (*MARKET_FEATURES, *CALL_FEATURES)
STAMPS = tuple(column.name for column in table_of(_STAMPS, Block.STAMP))
OUTCOMES = table_of(_OUTCOMES, Block.OUTCOME)
COLUMNS = (
    *table_of(_KEYS, Block.KEY),
    *table_of(_STAMPS, Block.STAMP),
    *FEATURES,
    *table_of(_CHOICES, Block.CHOICE),
    *OUTCOMES,
    *table_of(_SPLIT, Block.SPLIT),
)
BY_NAME = {column.name: column for column in COLUMNS}


def stacked(tables: "list[Table]") -> Table:
    """The rows of *tables*, which all have the same columns, one after another."""
    names = tables[0].columns
    return Table({name: np.concatenate([each[name] for each in tables]) for name in names})
