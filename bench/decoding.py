"""
Time of one answer of the venue, 900 options: from bytes to columns, volatilities and greeks.

The decoder's own time is that of the envelope as the client reads it; the whole is that, the
columns, the volatilities of bid and ask, and the greeks. Processor time of the fastest round.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from attrs import frozen

from adapters.deribit.book_columns import read_books
from adapters.deribit.rpc import Envelope
from adapters.memory.clock import SteppedClock
from core.simulation.listing import deribit_rules
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_params import SyntheticParams
from core.usecases.harvest import derive
from ports.chain import ChainTable
from ports.market_data import MarketSnapshot

_AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
_ROWS = 900


@frozen(kw_only=True)
class DecodingFigures:
    """Milliseconds of one answer, and its size."""

    size_bytes: int
    decoder_ms: float  # the client's: pydantic, into untyped objects
    orjson_ms: float  # of the same bytes, for comparison
    whole_ms: float

    @property
    def ratio(self) -> float:
        """The whole in units of the decoder's own time."""
        return self.whole_ms / self.decoder_ms


def measure_decoding(rounds: int = 200) -> DecodingFigures:
    """Decode an invented chain of 900 options again and again."""
    body = _answer()
    _whole(body)  # compiles
    actions: tuple[Callable[[], object], ...] = (
        lambda: Envelope.model_validate_json(body),
        lambda: orjson.loads(body),
        lambda: _whole(body),
    )
    taken = [[_ms(action) for action in actions] for _ in range(rounds)]  # by turns
    decoder_ms, orjson_ms, whole_ms = map(min, zip(*taken, strict=True))
    return DecodingFigures(
        size_bytes=len(body), decoder_ms=decoder_ms, orjson_ms=orjson_ms, whole_ms=whole_ms
    )


def _whole(body: bytes) -> None:
    envelope = Envelope.model_validate_json(body)
    columns = read_books(envelope.result, "bench").families["BTC"]
    derive(MarketSnapshot("BTC", _AT, columns.index_usd, columns.chain, deribit_rules("BTC")))


def _answer() -> bytes:
    market = SyntheticMarket(3, SteppedClock(_AT, ()), ("BTC",), SyntheticParams())
    shown = asyncio.run(market.snapshot("BTC"))
    rows = [_row(shown.chain, row % len(shown.chain), shown.index_usd) for row in range(_ROWS)]
    return orjson.dumps({"jsonrpc": "2.0", "id": 1, "result": rows, "usOut": 1, "testnet": False})


def _row(chain: ChainTable, row: int, index_usd: float) -> dict[str, object]:
    """A row as the venue writes it; NaN becomes null."""
    symbol = chain.contract(row).symbol
    return {
        "high": None,
        "low": None,
        "last": round(float(chain.mark[row]), 4),
        "instrument_name": symbol,
        "bid_price": float(chain.bid[row]),
        "ask_price": float(chain.ask[row]),
        "open_interest": round(float(chain.open_interest[row]), 1),
        "mark_price": round(float(chain.mark[row]), 8),
        "creation_timestamp": 1_772_445_600_000,
        "price_change": None,
        "mark_iv": round(100.0 * float(chain.mark_iv[row]), 2),
        "underlying_price": round(float(chain.forward[row]), 4),
        "underlying_index": f"SYN.{symbol.rsplit('-', 2)[0]}",
        "volume": round(float(chain.volume[row]), 1),
        "interest_rate": 0.0,
        "estimated_delivery_price": index_usd,
        "base_currency": "BTC",
        "quote_currency": "BTC",
        "volume_usd": 0.0,
        "mid_price": round(float(chain.mark[row]), 5),
    }


def _ms(action: Callable[[], object]) -> float:
    started = time.process_time_ns()
    action()
    return (time.process_time_ns() - started) / 1e6


if __name__ == "__main__":
    found = measure_decoding()
    print(f"{_ROWS} options, {found.size_bytes} bytes: decoder {found.decoder_ms:.2f} ms, ", end="")
    print(f"orjson {found.orjson_ms:.2f} ms, whole {found.whole_ms:.2f} ms = {found.ratio:.2f}x")
