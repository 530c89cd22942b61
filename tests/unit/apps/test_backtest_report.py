"""The report of a backtest in the terminal: its order, its width, and what it says."""

from io import StringIO
from pathlib import Path

import pytest
from attrs import evolve
from rich.console import Console

from apps.cli.backtest_report import record, report, verdict_lines
from apps.cli.backtest_stored import result_of
from apps.cli.backtest_tables import metric_cell, metric_text
from core.backtest.names import Numeraire, Unit
from core.backtest.names_table import METRIC, METRICS
from tests.support.backtest_runs import curve, golden_run, run, style

GOLDEN = Path(__file__).parent / "golden"
MODE = "TESTNET | research | DRY-RUN | rule_only"

ORDER = [
    "BACKTEST",
    "Underlying",
    "Left open",
    "Entry ",
    "Exit ",
    "Entry, exit",
    "By month",
    "By year",
    "By regime",
    "SUMMARY METRICS (closed trades)",
    "Performance: returns",
    "Performance: benchmark comparison",
    "Performance: risk-adjusted performance",
    "Trades analysis: details",
    "Capital efficiency: capital usage",
    "Capital efficiency: margin usage",
    "Run-ups",
    "Drawdowns",
    "Options: premium and campaigns",
    "Options: volatility and risk",
    "EQUITY (marked account)",
    "Marked equity: daily returns",
    "Delta-adjusted benchmark",
    "P&L attribution",
    "Inference",
    "NO EDGE SHOWN",
    "STYLE COMPARISON",
    "Left out",
]


def printed(width: int) -> str:
    screen = Console(file=StringIO(), width=width, highlight=False, markup=False)
    made = golden_run()
    for part in report(made, made.results[0], MODE):
        screen.print(part)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_is_as_it_was(width: int) -> None:
    """A fixed run prints the same text; a change of the layout is seen in the golden file."""
    golden = (GOLDEN / f"backtest_report_{width}.txt").read_text(encoding="utf-8")

    assert printed(width) == golden


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    """Nothing is cut off and nothing runs over."""
    lines = printed(width).splitlines()

    assert max(len(line) for line in lines) <= width
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_every_figure_is_whole(width: int) -> None:
    """No number is wrapped: each is found as one word on its line."""
    words = set(printed(width).replace("[", " ").replace("]", " ").replace(",\n", " ").split())
    made = golden_run().results[0].metrics

    for metric in METRICS:
        for numeraire in metric.numeraires:
            text = metric_text(metric.unit, numeraire, made.get(metric.stored(numeraire)))
            assert text in words


def test_the_order_is_the_agreed_one() -> None:
    """From the heading over trades and summary to equity, inference and the comparison."""
    lines = printed(120).splitlines()
    at = [next(n for n, line in enumerate(lines) if line.strip().startswith(x)) for x in ORDER]

    assert at == sorted(at)


def test_few_trades_are_marked() -> None:
    """Both blocks of figures say that there are fewer than thirty trades."""
    assert printed(80).count("fewer than 30 trades") == 2


def test_bounds_stand_below_their_figure() -> None:
    """A figure with an interval has it in brackets on the next line."""
    made = golden_run().results[0].metrics

    assert metric_cell(METRIC["cagr"], made, Numeraire.COIN).endswith("\n[-12.50, 31.25]")
    assert "\n" not in metric_cell(METRIC["cagr"], made, Numeraire.USD)


def test_undefined_is_a_dash() -> None:
    """None is a dash in every unit and never a number."""
    assert {metric_text(unit, Numeraire.COIN, None) for unit in Unit} == {"-"}
    assert metric_cell(METRIC["profit_factor"], {}, Numeraire.USD) == "-"


def test_the_verdict_names_every_reason() -> None:
    """What speaks against an edge is listed; a result that meets all is called one."""
    assert len(verdict_lines(golden_run().results[0].metrics)) == 5
    good = {
        "deflated_sharpe": 0.99,
        "overfitting_probability": 0.0,
        "alpha_stressed_pct_low": 1.0,
        "positive_folds_pct": 100.0,
    }
    assert verdict_lines({**good}) == ["EDGE: every condition is met"]


def test_json_has_every_figure() -> None:
    """The record holds the figures under their keys, the verdict and the tables."""
    made = golden_run()
    found = record(made, made.results[0], MODE)

    assert found["metrics"] == made.results[0].metrics
    assert found["is_edge"] is False
    assert found["has_few_trades"] is True
    assert found["mode"] == MODE


def test_an_exit_style_is_chosen_by_name() -> None:
    """The first is the primary one; another is named; an unknown one is misuse."""
    made = golden_run()

    assert result_of(made, None).exit_style == "hold_to_expiry"
    assert result_of(made, "tp_and_roll").exit_style == "tp_and_roll"
    with pytest.raises(BaseException) as ended:  # noqa: PT011  click's Exit has no public home
        result_of(made, "moon")
    assert getattr(ended.value, "exit_code", None) == 2


def test_a_run_of_nothing_has_a_report() -> None:
    """One mark and no trade: dashes and zeros, no failure."""
    empty = run(evolve(style((), curve([1.0])), metrics={}))
    parts = list(report(empty, empty.results[0], MODE))

    assert len(parts) > 20
