"""Tables for files: CSV and Markdown."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from math import isnan


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return *rows* as CSV under the names of the *columns*; None is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def csv_text(lines: Sequence[dict[str, object]]) -> str:
    """Return *lines* as CSV with the names of the first on top; NaN and None are empty."""
    columns = tuple(lines[0]) if lines else ()
    return csv_table(columns, ([_known(line[name]) for name in columns] for line in lines))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, with an empty one behind them."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _known(value: object) -> object:
    return None if isinstance(value, float) and isnan(value) else value
