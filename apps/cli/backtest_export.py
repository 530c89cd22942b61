"""`options-agent backtest export`: trades or the equity of a stored run, as CSV or JSON."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from math import isnan
from pathlib import Path
from typing import Annotated

import orjson
import typer
from attrs import fields

from apps.cli.backtest_stored import ExitStyle, RunId, loaded_run, result_of
from apps.cli.console import show_text
from apps.cli.file_tables import csv_table
from apps.cli.options import ConfigFiles, Overrides, settings_from
from apps.cli.output_file import write_out
from ports.backtest_runs import BacktestTrade, EquityCurve, StyleResult
from ports.checks import from_epoch_ms


class Content(StrEnum):
    """What is exported."""

    TRADES = "trades"
    EQUITY = "equity"


class FileFormat(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSON = "json"


def command(
    content: Annotated[Content, typer.Argument(help="trades or equity.")],
    run_id: RunId = "latest",
    style: ExitStyle = None,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="csv, or json with a record a row.")
    ] = FileFormat.CSV,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; default: stdout.")
    ] = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The trades or the marked account of one stored run, every figure in full.

    Instants are ISO 8601 in UTC; names and units are those of the store. What is not known is
    empty in CSV and null in JSON.
    """
    settings = settings_from(config, overrides).settings
    text = exported(result_of(loaded_run(settings, run_id), style), content, file_format)
    if out is None:
        show_text(text.rstrip("\n"))
    else:
        write_out(out, text)


def exported(result: StyleResult, content: Content, file_format: FileFormat) -> str:
    """Return *content* of *result* as one text that ends with a line feed."""
    if content is Content.TRADES:
        names, rows = _TRADE_NAMES, [_trade_row(each) for each in result.trades]
    else:
        names, rows = _CURVE_NAMES, list(_curve_rows(result.equity))
    return csv_table(names, rows) if file_format is FileFormat.CSV else _as_json(names, rows)


_TRADE_NAMES = [each.name for each in fields(BacktestTrade)]
_COLUMNS = [each.name for each in fields(EquityCurve) if each.name != "at_ms"]
_CURVE_NAMES = ["at", *_COLUMNS, "equity_coin", "equity_usd"]


def _trade_row(trade: BacktestTrade) -> list[object]:
    values = {name: getattr(trade, name) for name in _TRADE_NAMES}
    values["contract"] = trade.contract.symbol
    values["opened_at"] = trade.opened_at.isoformat()
    values["closed_at"] = trade.closed_at.isoformat()
    return [_plain(each) for each in values.values()]


def _curve_rows(curve: EquityCurve) -> Iterable[list[object]]:
    columns = [getattr(curve, name).tolist() for name in _CURVE_NAMES[1:]]
    for at_ms, *numbers in zip(curve.at_ms.tolist(), *columns, strict=True):
        yield [from_epoch_ms(at_ms).isoformat(), *(_plain(each) for each in numbers)]


def _plain(value: object) -> object:
    """*value*, None for NaN, a word for an enum."""
    if isinstance(value, float) and isnan(value):
        return None
    return str(value) if isinstance(value, StrEnum) else value


def _as_json(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    records = [dict(zip(names, row, strict=True)) for row in rows]
    return orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
