"""`options-agent chain`: the option chain of one coin."""

from typing import Annotated

import numpy as np
import typer

from apps.cli import figures
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.one_market import At, market_asked
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from core.analysis.chain_view import ChainView, chain_view
from ports.checks import epoch_ms
from ports.columns import Bools
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot

_SOON_DAYS = 1.0  # an expiry nearer than this is not what a person asks for by default


def command(
    coin: Annotated[str, typer.Argument(metavar="COIN", help="BTC or ETH.")],
    expiry: Annotated[
        str | None, typer.Option(metavar="DAY", help="Such as 27MAR26; default: the next one.")
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Every expiry, and contracts without a quote.")
    ] = False,
    at: At = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Quotes, volatilities and greeks of one coin, in the market of the settings.

    A recording is shown at its end unless --at says otherwise. Gap is what call and put marks
    miss parity by; fit is the mark less Black-76 at its own volatility, in half-spreads.
    """
    settings = settings_from(config, overrides, venue).settings
    snapshot = market_asked(settings, coin, at)
    view = chain_view(snapshot)
    rows = _rows(view, _expiry_ms(coin, expiry, view) if expiry or not show_all else None, show_all)
    if as_json:
        show_json(_record(settings, snapshot, view, rows))
        return
    show_text(f"{mode_line(settings)} | market {settings.venue.market}")
    show_text(
        f"{coin} {figures.index(snapshot.index_usd)} USD at {figures.instant(snapshot.taken_at)}, "
        f"{rows.sum()} of {len(rows)} contracts; expiries {' '.join(_expiries(view))}"
    )
    _show(view, rows)


def _expiry_ms(coin: str, day: str | None, view: ChainView) -> int:
    """The expiry that *day* names, or the next one; ends with MISUSE if it is not listed."""
    listed = view.chain.expiry_ms
    if day is None:
        later = listed[view.dte > _SOON_DAYS]
        return int((later if len(later) else listed)[0]) if len(listed) else 0
    try:
        wanted = epoch_ms(OptionContract.from_symbol(f"{coin}-{day.upper()}-1-C").expiry)
    except ValueError:
        wanted = -1
    if wanted not in listed:
        end(f"{day} is not listed; there are {', '.join(_expiries(view))}", ExitCode.MISUSE)
    return wanted


def _rows(view: ChainView, expiry_ms: int | None, show_all: bool) -> Bools:
    chain = view.chain
    rows: Bools = np.ones(len(chain), dtype=np.bool_)
    if expiry_ms is not None:
        rows &= chain.expiry_ms == expiry_ms
    if not show_all:
        rows &= np.isfinite(chain.bid) | np.isfinite(chain.ask)
    return rows


def _expiries(view: ChainView) -> list[str]:
    """The listed days as the venue writes them, nearest first."""
    _, first = np.unique(view.chain.expiry_ms, return_index=True)
    return [view.chain.contract(int(row)).symbol.split("-")[1] for row in first]


def _show(view: ChainView, rows: Bools) -> None:
    quotes = ("DTE", "bid", "ask", "mark", "IV", "bid IV", "ask IV")
    rest = ("delta", "net delta", "gamma", "vega", "theta", "gap", "fit", "OI")
    made = table("contract", *quotes, *rest, numbers=(*quotes, *rest), whole=("contract",))
    chain = view.chain
    for row in np.flatnonzero(rows):
        made.add_row(
            chain.contract(int(row)).symbol,
            figures.decimals(view.dte[row], 1),
            figures.price(chain.bid[row]),
            figures.price(chain.ask[row]),
            figures.price(chain.mark[row]),
            figures.vol(chain.mark_iv[row]),
            figures.vol(view.bid_iv[row]),
            figures.vol(view.ask_iv[row]),
            figures.decimals(view.delta[row], 3),
            figures.decimals(view.net_delta[row], 3),
            figures.decimals(view.gamma[row], 6),
            figures.decimals(view.vega[row], 1),
            figures.decimals(view.theta[row], 1),
            figures.decimals(view.parity_gap_coin[row], 5),
            figures.decimals(view.residual[row], 2),
            figures.size(chain.open_interest[row]),
        )
    show_table(made)


def _record(
    settings: Settings, snapshot: MarketSnapshot, view: ChainView, rows: Bools
) -> dict[str, object]:
    chain = view.chain
    columns = {
        "strike": chain.strike,
        "forward": chain.forward,
        "dte": view.dte,
        "bid": chain.bid,
        "ask": chain.ask,
        "mark": chain.mark,
        "mark_iv": chain.mark_iv,
        "bid_iv": view.bid_iv,
        "ask_iv": view.ask_iv,
        "delta": view.delta,
        "net_delta": view.net_delta,
        "gamma": view.gamma,
        "vega": view.vega,
        "theta": view.theta,
        "parity_gap_coin": view.parity_gap_coin,
        "residual_half_spreads": view.residual,
        "open_interest": chain.open_interest,
    }
    return {
        "mode": mode_line(settings),
        "market": settings.venue.market,
        "underlying": snapshot.underlying,
        "taken_at": snapshot.taken_at,
        "index_usd": snapshot.index_usd,
        "contracts": [
            {
                "symbol": chain.contract(int(row)).symbol,
                **{name: float(column[row]) for name, column in columns.items()},
            }
            for row in np.flatnonzero(rows)
        ],
    }
