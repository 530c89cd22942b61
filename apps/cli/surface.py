"""`options-agent surface`: the volatility surface of one coin, on the screen or as a page."""

from collections.abc import Iterable
from math import nan
from pathlib import Path
from typing import Annotated

import typer

from apps.cli import figures
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.one_market import At, market_asked
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.output_file import write_out
from apps.cli.surface_page import page
from apps.settings.root import Settings
from core.analysis.surface_view import ExpiryView, SurfaceView, surface_view
from core.surface.prepare import RowStatus
from core.surface.readings import SmileReading


def command(
    coin: Annotated[str, typer.Argument(metavar="COIN", help="BTC or ETH.")],
    at: At = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with charts, for a browser.")
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Smiles fitted to the quotes of one coin, in the market of the settings.

    Volatilities in points. RR is call less put at a delta, BF their mean less the money. RMSE
    and inside compare each smile with the quotes it was fitted to. A recording is shown at its
    end unless --at says otherwise.
    """
    settings = settings_from(config, overrides, venue).settings
    view = surface_view(market_asked(settings, coin, at))
    if html is not None:
        title = f"{mode_line(settings)} | market {settings.venue.market}"
        write_out(html, page(view, title))
    elif as_json:
        show_json(_record(settings, view))
    else:
        _show(settings, view)


def _show(settings: Settings, view: SurfaceView) -> None:
    snapshot = view.snapshot
    show_text(f"{mode_line(settings)} | market {settings.venue.market}")
    show_text(
        f"{snapshot.underlying} {figures.index(snapshot.index_usd)} USD at "
        f"{figures.instant(snapshot.taken_at)}; thirty-day index, full "
        f"{figures.decimals(view.index.full, 2)}, wings cut "
        f"{figures.decimals(view.index.dvol_like, 2)}, at the money "
        f"{figures.decimals(view.index.atm, 2)}"
    )
    counts = [(status.name, view.prepared.count(status)) for status in RowStatus]
    show_text("rows: " + ", ".join(f"{name} {count}" for name, count in counts if count))
    quotes = ("days", "forward", "quotes")
    read = ("ATM", "RR 25", "BF 25", "RR 10", "BF 10", "RMSE", "inside %")
    made = table("expiry", *quotes, "smile", *read, numbers=(*quotes, *read), whole=("expiry",))
    for each in view.expiries:
        made.add_row(
            each.name,
            figures.decimals(each.days, 1),
            figures.index(each.forward),
            str(len(each.k)),
            each.status.name,
            *_points(each.reading),
            figures.decimals(nan if each.rmse is None else 100.0 * each.rmse, 2),
            figures.percent(nan if each.inside is None else 100.0 * each.inside),
        )
    show_table(made)
    constant = table("maturity", *read[:5], numbers=read[:5])
    for reading in view.maturities:
        constant.add_row(f"{reading.days:g} d", *_points(reading))
    show_table(constant)


def _points(reading: SmileReading | None) -> Iterable[str]:
    if reading is None:
        return ["-"] * 5
    near, far = reading.wing_25, reading.wing_10
    values = (reading.atm_iv, near.risk_reversal, near.butterfly, far.risk_reversal, far.butterfly)
    return [figures.decimals(100.0 * value, 2) for value in values]


def _record(settings: Settings, view: SurfaceView) -> dict[str, object]:
    snapshot = view.snapshot
    return {
        "mode": mode_line(settings),
        "market": settings.venue.market,
        "underlying": snapshot.underlying,
        "taken_at": snapshot.taken_at,
        "index_usd": snapshot.index_usd,
        "index": {
            "full": view.index.full,
            "dvol_like": view.index.dvol_like,
            "atm": view.index.atm,
        },
        "rows": {status.name: view.prepared.count(status) for status in RowStatus},
        "expiries": [_expiry_record(each) for each in view.expiries],
        "maturities": [_reading_record(reading) for reading in view.maturities],
    }


def _expiry_record(each: ExpiryView) -> dict[str, object]:
    return {
        "expiry": each.name,
        "days": each.days,
        "forward": each.forward,
        "quotes": len(each.k),
        "smile": each.status.name,
        "rmse": each.rmse,
        "inside": each.inside,
        "reading": None if each.reading is None else _reading_record(each.reading),
    }


def _reading_record(reading: SmileReading) -> dict[str, object]:
    return {
        "days": reading.days,
        "atm_iv": reading.atm_iv,
        "rr_25": reading.wing_25.risk_reversal,
        "bf_25": reading.wing_25.butterfly,
        "rr_10": reading.wing_10.risk_reversal,
        "bf_10": reading.wing_10.butterfly,
    }
