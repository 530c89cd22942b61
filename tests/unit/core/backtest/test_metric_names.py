"""The table of names: TradingView's exactly, no key twice, and a page that tells them all."""

import re
from pathlib import Path

import pytest

from core.backtest.metrics import metrics_of
from core.backtest.names import Kind, Numeraire, Section, metrics_from
from core.backtest.names_table import METRIC, METRICS, STORED_KEYS, of_section
from tests.support.backtest_runs import curve, sold_and_held, trade

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"

# TradingView's strategy report, section by section, as its help pages name them
TRADINGVIEW = {
    Section.RETURNS: "Initial capital; Open P&L; Net P&L; Gross profit; Gross loss; Profit factor; "
    "Commission paid; Expected payoff",
    Section.BENCHMARK: "Buy & hold return; Buy & hold % gain; Strategy outperformance",
    Section.RISK_ADJUSTED: "Sharpe ratio; Sortino ratio",
    Section.TRADES: "Total trades; Total open trades; Winning trades; Losing trades; "
    "Percent profitable; Avg P&L; Avg winning trade; Avg losing trade; Ratio avg win / avg loss; "
    "Largest winning trade; Largest winning trade percent; Largest winner as % of gross profit; "
    "Largest losing trade; Largest losing trade percent; Largest loser as % of gross loss; "
    "Avg # bars in trades; Avg # bars in winning trades; Avg # bars in losing trades; "
    "Max contracts held; Even trades; Total liquidated volume; Largest liquidated volume",
    Section.CAPITAL: "Annualized return (CAGR); Return on initial capital; Account size required; "
    "Return on account size required; Net profit as % of largest loss",
    Section.MARGIN: "Avg margin used; Max margin used; Margin efficiency; Margin calls",
    Section.RUN_UPS: "Avg equity run-up duration (close-to-close); "
    "Avg equity run-up (close-to-close); Max equity run-up (close-to-close); "
    "Max equity run-up (intrabar); Max equity run-up as % of initial capital (intrabar)",
    Section.DRAWDOWNS: "Avg equity drawdown duration (close-to-close); "
    "Avg equity drawdown (close-to-close); Max equity drawdown (close-to-close); "
    "Max equity drawdown (intrabar); Max equity drawdown as % of initial capital (intrabar); "
    "Return of max equity drawdown",
}


@pytest.mark.parametrize("section", TRADINGVIEW)
def test_the_names_are_tradingviews(section: Section) -> None:
    """Each section has every name of the strategy report, letter by letter."""
    names = {each.name for each in of_section(section)}

    assert set(TRADINGVIEW[section].split("; ")) <= names


def test_no_key_stands_for_two_figures() -> None:
    """Keys are unique, of metrics and of what is stored of them."""
    assert len(METRIC) == len(METRICS)
    assert len(set(STORED_KEYS)) == len(STORED_KEYS)


def test_keys_are_plain_words() -> None:
    """A key is snake case and survives any store."""
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in STORED_KEYS)


def test_stored_keys_say_numeraire_and_kind() -> None:
    """Coin and USD, then calls and puts, stand behind the key."""
    metric = METRIC["net_pnl"]

    assert metric.stored(Numeraire.COIN) == "net_pnl_coin"
    assert metric.stored(Numeraire.USD, Kind.PUTS) == "net_pnl_usd_puts"
    assert METRIC["margin_calls"].stored(Numeraire.USD) == "margin_calls"


@pytest.mark.parametrize("trades", [(), (trade(),)])
def test_every_run_has_every_key(trades: tuple[object, ...]) -> None:
    """A run without trades and one with have the same keys, in the order of the table."""
    assert tuple(metrics_of(trades, curve([1.0, 1.01]))) == STORED_KEYS  # type: ignore[arg-type]


def test_figures_are_numbers_or_none() -> None:
    """Nothing undefined is NaN, infinite or a stand-in."""
    found = metrics_of(sold_and_held().trades, sold_and_held().equity)

    assert all(value is None or abs(value) < 1e12 for value in found.values())


def test_the_page_tells_every_metric() -> None:
    """docs/metrics.md has a row a metric, under its section, with its definition."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    sections = {part.partition("\n")[0]: part for part in parts[1:]}

    assert list(sections) == [str(section) for section in Section]
    for metric in METRICS:
        form = f"{metric.form}{', interval' if metric.interval else ''}"
        row = f"| `{metric.key}` | {metric.name} | {metric.unit} | {form} | {metric.definition} |"
        assert row in sections[str(metric.section)].splitlines()


def test_a_table_must_say_what_it_is() -> None:
    """A line without all its parts, or with an unknown unit, is refused."""
    with pytest.raises(ValueError, match="not enough values"):
        metrics_from("key | Name | money | both")
    with pytest.raises(ValueError, match="gold"):
        metrics_from("key | Name | gold | both | Text.")


def test_a_full_run_leaves_nothing_undefined() -> None:
    """Only inference, liquidations and what puts would have are None: no figure is forgotten."""
    run = sold_and_held(weeks=60)
    found = metrics_of(run.trades, run.equity)
    inferred = {key for each in of_section(Section.INFERENCE) for key in each.stored_keys}
    bounds = {key for key in STORED_KEYS if key.endswith(("_low", "_high"))}
    liquidated = {"liquidated_volume", "largest_liquidated_volume"}

    undefined = {key for key, value in found.items() if value is None}
    assert {key for key in undefined if not key.endswith("_puts")} == inferred | bounds | liquidated
