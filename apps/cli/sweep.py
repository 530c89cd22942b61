"""`options-agent sweep`: many cells on all cores, taken up again where they stopped."""

from apps.cli.commands import Command
from apps.cli.lazy import lazy_app

_COMMANDS = {
    "backtest": Command("apps.cli.sweep_backtest", "One rule over a grid of its settings."),
    "list": Command("apps.cli.sweep_list", "The sweeps of which finished cells are kept."),
    "forget": Command("apps.cli.sweep_forget", "Drop finished cells."),
}

app = lazy_app(
    _COMMANDS, "Sweeps: many cells computed on all cores, and taken up again where they stopped."
)
