"""`options-agent train`: learning data from the past, and the check that it tells no future."""

from apps.cli.commands import Command
from apps.cli.lazy import lazy_app

_COMMANDS = {
    "collect": Command("apps.cli.train_collect", "Every decision of a past, every call's end."),
    "export": Command("apps.cli.train_export", "Rows as conversations; refused on a leak."),
    "check": Command("apps.cli.train_check", "Whether anything tells what came later."),
}

app = lazy_app(
    _COMMANDS, "Learning data: rows with what was known then, and what each call came to."
)
