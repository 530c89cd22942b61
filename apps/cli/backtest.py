"""`options-agent backtest`: what selling calls would have come to, and how far to believe it."""

from apps.cli.commands import Command
from apps.cli.lazy import lazy_app

_COMMANDS = {
    "run": Command("apps.cli.backtest_run", "Run a rule over recorded or invented chains."),
    "list": Command("apps.cli.backtest_list", "The runs kept, newest first."),
    "show": Command("apps.cli.backtest_show", "One stored run: tables, JSON or a page."),
    "compare": Command("apps.cli.backtest_compare", "Stored runs side by side."),
    "export": Command("apps.cli.backtest_export", "Trades and equity of a run as files."),
    "note": Command("apps.cli.backtest_note", "Replace the notes of a run."),
    "delete": Command("apps.cli.backtest_delete", "Forget stored runs; trials stay counted."),
    "presets": Command("apps.cli.backtest_presets", "What each preset sets."),
    "pair": Command("apps.cli.backtest_pair", "One rule on recorded and on invented chains."),
    "health-check": Command("apps.cli.backtest_health", "May the invented be believed?"),
    "parity": Command("apps.cli.backtest_parity", "The same decisions in every world."),
}

app = lazy_app(_COMMANDS, "Backtests: what a rule would have earned, with its uncertainty.")
