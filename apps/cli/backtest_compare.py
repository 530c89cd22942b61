"""`options-agent backtest compare`: what one stored run has more than another."""

from typing import Annotated

import typer
from attrs import frozen
from rich.table import Table

from apps.cli.backtest_stored import ExitStyle, loaded_run, result_of
from apps.cli.backtest_tables import metric_text
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from core.backtest.inference import compared
from core.backtest.names import Metric, Numeraire
from core.backtest.names_table import METRIC
from core.rng import rng_at
from core.stats.bootstrap import Interval
from ports.backtest_runs import BacktestRun, StyleResult
from ports.checks import from_epoch_ms

_KEYS = (
    "net_pnl",
    "return_on_capital",
    "strategy_outperformance",
    "max_drawdown",
    "max_drawdown_pct",
    "total_trades",
    "percent_profitable",
    "profit_factor",
    "avg_pnl",
    "sharpe_ratio",
    "sortino_ratio",
    "cagr",
    "sharpe_annual",
    "alpha_pct",
)


@frozen(kw_only=True)
class Difference:
    """One figure of two runs; *interval* is the paired one of B - A, where there is one."""

    metric: Metric
    numeraire: Numeraire | None
    a: float | None
    b: float | None
    interval: Interval | None

    @property
    def change(self) -> float | None:
        """B - A; None where one of them is undefined."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def key(self) -> str:
        """The key of the figure in the store."""
        return self.metric.stored(self.numeraire)


def command(
    first: Annotated[str, typer.Argument(metavar="A", help="The id of a run.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The id of another, or latest.")],
    style: ExitStyle = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Two stored runs side by side, and B - A.

    In brackets: the 90 % interval of the difference on the days both runs have, drawn for both
    together. Runs whose primary exit styles differ are compared only in a style that is given.
    """
    settings = settings_from(config, overrides).settings
    a, b = (loaded_run(settings, run_id) for run_id in (first, second))
    chosen = chosen_style(a, b, style)
    one, other = result_of(a, chosen), result_of(b, chosen)
    found = differences(one, other, a.summary.seed)
    if as_json:
        show_json(_record(a, b, chosen, found, mode_line(settings)))
        return
    show_text("\n".join(_heading(a, b, chosen, mode_line(settings))))
    is_one_coin = a.summary.underlying == b.summary.underlying
    show_table(differences_table(found, a.summary.underlying if is_one_coin else "coin"))


def chosen_style(a: BacktestRun, b: BacktestRun, style: str | None) -> str | None:
    """Return *style*, or the primary one of both; ends with MISUSE where these differ."""
    if style is not None:
        return style
    primary = [each.summary.exit_styles[0] if each.summary.exit_styles else "" for each in (a, b)]
    if primary[0] != primary[1]:
        end(
            f"the primary exit styles differ, {primary[0]} and {primary[1]}: name one by --style",
            ExitCode.MISUSE,
        )
    return primary[0]


def differences(a: StyleResult, b: StyleResult, seed: int) -> tuple[Difference, ...]:
    """Return the figures of *a* and *b* and what *b* has more, by the draws of *seed*."""
    marks = a.equity.at_ms
    at = from_epoch_ms(float(marks[0]) if len(marks) else 0.0)
    paired = compared(a, b, rng_at(seed, "compare", at))
    return tuple(
        Difference(
            metric=METRIC[key],
            numeraire=numeraire,
            a=a.metrics.get(METRIC[key].stored(numeraire)),
            b=b.metrics.get(METRIC[key].stored(numeraire)),
            interval=paired.get(METRIC[key].stored(numeraire)),
        )
        for key in _KEYS
        for numeraire in METRIC[key].numeraires
    )


def differences_table(found: tuple[Difference, ...], coin: str) -> Table:
    """A row a figure: A, B, B - A; *coin* names what amounts in coin are in."""
    numbers = ("A", "B", "B - A")
    made = table("figure", "in", *numbers, numbers=numbers)
    for each in found:
        made.add_row(
            each.metric.name,
            {None: "", Numeraire.COIN: coin, Numeraire.USD: "USD"}[each.numeraire],
            *(metric_text(each.metric.unit, each.numeraire, value) for value in (each.a, each.b)),
            _change_text(each),
        )
    return made


def _change_text(each: Difference) -> str:
    text = metric_text(each.metric.unit, each.numeraire, each.change)
    if each.interval is None:
        return text
    low, high = (
        metric_text(each.metric.unit, each.numeraire, bound)
        for bound in (each.interval.low, each.interval.high)
    )
    return f"{text}\n[{low}, {high}]"


def _heading(a: BacktestRun, b: BacktestRun, style: str | None, mode: str) -> list[str]:
    runs = (("A", a.summary), ("B", b.summary))
    return [
        f"COMPARE  {mode}, exit style {style}",
        *(
            f"{name} {each.run_id}: {each.strategy_id} on {each.underlying}, {each.source}, "
            f"{each.start:%Y-%m-%d} to {each.end:%Y-%m-%d}"
            for name, each in runs
        ),
        *_warnings(a, b),
    ]


def _warnings(a: BacktestRun, b: BacktestRun) -> list[str]:
    """What makes the comparison an unequal one."""
    found = []
    if a.summary.underlying != b.summary.underlying:
        found.append("the coins differ: amounts in coin are not of one kind")
    if (a.summary.start, a.summary.end) != (b.summary.start, b.summary.end):
        found.append("the periods differ: intervals are of the days both have")
    return found


def _record(
    a: BacktestRun, b: BacktestRun, style: str | None, found: tuple[Difference, ...], mode: str
) -> dict[str, object]:
    return {
        "mode": mode,
        "a": a.summary.run_id,
        "b": b.summary.run_id,
        "exit_style": style,
        "warnings": _warnings(a, b),
        "differences": {
            each.key: {
                "a": each.a,
                "b": each.b,
                "b_less_a": each.change,
                "low": None if each.interval is None else each.interval.low,
                "high": None if each.interval is None else each.interval.high,
            }
            for each in found
        },
    }
