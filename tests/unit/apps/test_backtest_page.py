"""The page of a backtest: whole in itself, quick, small, and true to the run."""

import json
import re
from math import nan
from time import process_time

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.cli.backtest_page import page
from apps.cli.backtest_page_data import CURVE_POINTS, page_data, telling_rows
from apps.cli.backtest_page_tables import months_html
from core.backtest.metrics import metrics_of
from core.backtest.metrics_tables import Period, period_rows
from core.backtest.names import Section
from core.backtest.names_table import METRICS
from ports.backtest_runs import BacktestRun
from tests.support.backtest_runs import curve, golden_run, run, sold_and_held, style, trade

SCRIPT = "/* the charting script */"


def made(of: BacktestRun | None = None) -> str:
    of = of or golden_run()
    return page(of, of.results[0], "TESTNET | DRY-RUN", SCRIPT)


def test_a_page_needs_no_network() -> None:
    """The script is in the page, and nothing is fetched from anywhere."""
    text = made()

    assert SCRIPT in text
    assert not re.search(r"https?:|src=|href=|@import|url\(|fetch\(|XMLHttpRequest", text)


def test_the_switches_have_tradingviews_names() -> None:
    """Four switches, absolute or percent, coin or USD."""
    text = made()

    for name in ("Equity", "Buy &amp; hold", "Trades excursions", "Run-ups and drawdowns"):
        assert f">{name}</label>" in text
    assert re.findall(r'name="scale" value="(\w+)"', text) == ["absolute", "percent"]
    assert re.findall(r'name="numeraire" value="(\w+)"', text) == ["coin", "usd"]


def test_the_strip_is_always_in_view() -> None:
    """Five figures stand at the top, outside everything that folds."""
    strip = made().partition('<dl class="strip">')[2].partition("</dl>")[0]
    names = re.findall(r"<dt>(.*?)</dt>", strip)

    assert [name.replace("&amp;", "&") for name in names] == [
        "Total P&L",
        "Max equity drawdown",
        "Total trades",
        "Profitable trades",
        "Profit factor",
    ]


def test_every_section_folds_and_every_metric_is_there() -> None:
    """Each section has its lines, letter by letter."""
    text = made().replace("&amp;", "&").replace("&#x27;", "'")

    for section in Section:
        assert f"<summary>{section}</summary>" in text
    for metric in METRICS:
        assert f'<th scope="row">{metric.name}' in text


def test_the_list_of_trades_has_tradingviews_columns() -> None:
    """The columns of TradingView in their order, USD beside the coin."""
    head = re.findall(r'<th scope="col">(.*?)</th>', made())

    assert "; ".join(head).replace("&amp;", "&") == (
        "Trade #; Type; Date and time; Signal; Price; Position size; Net P&L; Net P&L USD; "
        "Favorable excursion; Adverse excursion; Cumulative P&L"
    )


def test_data_are_those_of_the_run() -> None:
    """Trades in order of their end, sums that add up, an equity that ends where it ended."""
    result = sold_and_held()
    found = page_data(result, "BTC")

    assert found["trades"]["number"] == [each.number for each in result.trades]
    assert found["trades"]["sum_coin"][-1] == pytest.approx(
        sum(each.pnl_coin for each in result.trades), abs=1e-6
    )
    assert found["curve"]["equity"][-1] == pytest.approx(result.equity.equity_coin[-1], abs=1e-7)
    assert found["words"][found["trades"]["exit_reason"][-1]] == "left_open"


@pytest.mark.parametrize("numeraire", ["coin", "usd"])
def test_the_attribution_adds_up(numeraire: str) -> None:
    """The bars of all parts together are the bar of the change of equity."""
    found = page_data(sold_and_held(), "BTC")["attribution"][numeraire]["sums"]

    total = found.pop("Change of equity")
    assert sum(found.values()) == pytest.approx(total, rel=1e-4)
    assert ("Coin held" in found) == (numeraire == "usd")


def test_data_can_be_read_back() -> None:
    """NaN is null, and no text in the data can end the script."""
    odd = trade(entry_reason="</script><b>", favorable_coin=nan)
    text = made(run(style((odd,), curve([1.0, 1.0]), metrics={}), notes="<b>bold</b>"))
    data = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)[0]

    assert json.loads(data)["trades"]["best"] == [None]
    assert "<b>" not in text


def test_gain_and_loss_are_words_too() -> None:
    """Colour is never the only sign: an arrow and a word stand with it."""
    assert re.search(r'class="gain">▲ \+[\d.,]+<span class="hidden"> gain</span>', made())
    assert re.search(r'class="loss">▼ -[\d.,]+<span class="hidden"> loss</span>', made())


def test_years_of_the_monthly_table_compound() -> None:
    """The last column is the product of its months."""
    result = sold_and_held()
    rows = period_rows(result.trades, result.equity, Period.MONTH)
    cells = re.findall(r">([+-][\d.]+)</td>", months_html(rows, "BTC"))
    coin = cells[: len(rows)]
    grown = np.prod([1.0 + (row.return_coin_pct or 0.0) / 100.0 for row in rows])

    assert coin == [f"{row.return_coin_pct:+.1f}" for row in rows]
    assert cells[len(rows)] == f"{100.0 * (grown - 1.0):+.1f}"


def test_a_run_of_nothing_has_a_page() -> None:
    """No trades and no marks: empty charts and dashes, no failure."""
    nothing = run(style((), curve(np.zeros(0)), metrics=metrics_of((), curve(np.zeros(0)))))

    assert made(nothing).endswith("</html>\n")


def test_ten_thousand_trades_are_quick_and_small() -> None:
    """Under two seconds of processor and two megabytes beyond the charting script."""
    result = sold_and_held(weeks=260)
    many = tuple(evolve(result.trades[n % 260], number=n + 1) for n in range(10_000))
    large = run(style(many, result.equity, metrics=metrics_of(many, result.equity)))
    started = process_time()
    text = made(large)

    assert process_time() - started < 2.0
    assert len(text.encode()) < 2_000_000


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400))
@settings(derandomize=True, deadline=None)
def test_fewer_rows_keep_what_an_eye_sees(seed: int, count: int) -> None:
    """At most so many rows, in order, with the first, the last, the least and the greatest."""
    column, limit = np.random.default_rng(seed).standard_normal(count), 40
    rows = telling_rows(column, limit)

    assert len(rows) <= limit
    assert np.all(np.diff(rows) > 0)
    assert rows[0] == 0
    assert rows[-1] == len(column) - 1
    assert column[rows].min() == column.min()
    assert column[rows].max() == column.max()


def test_a_long_curve_is_cut() -> None:
    """Five years of hours are drawn with at most five thousand points."""
    found = page_data(sold_and_held(weeks=260), "BTC")

    assert len(found["curve"]["at"]) <= CURVE_POINTS
