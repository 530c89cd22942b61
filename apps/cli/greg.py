"""`options-agent greg`: what the volatility-premium desk sees, advises, hedges and carries out."""

from apps.cli.commands import Command
from apps.cli.lazy import lazy_app

_COMMANDS = {
    "sensors": Command("apps.cli.greg_sensors", "The eleven sensors of each coin."),
    "advise": Command("apps.cli.greg_advice", "Which strategy each market calls for, and why."),
    "rules": Command("apps.cli.greg_rules", "Entry rules and risk, and a person's overrides."),
    "positions": Command("apps.cli.greg_positions", "Open positions with their advice."),
    "hedge": Command("apps.cli.greg_hedge", "The hedges that positions need now; a dry run."),
    "mode": Command("apps.cli.greg_mode", "How far a suggestion may go: mode, switches, caps."),
    "execute": Command("apps.cli.greg_execute", "Carry a suggestion out, behind every gate."),
    "dismiss": Command("apps.cli.greg_dismiss", "Note that a suggestion will not be followed."),
    "log": Command("apps.cli.greg_log", "What was suggested, and what became of it."),
    "whatif": Command("apps.cli.greg_whatif", "What ignored suggestions would have earned."),
    "sandbox": Command("apps.cli.greg_sandbox", "Invented positions: open, list, close."),
    "smoke": Command("apps.cli.greg_smoke", "Every market and strategy once, as a check."),
    "history": Command("apps.cli.greg_history", "Sensors and choices of past days."),
    "thresholds": Command("apps.cli.greg_thresholds", "Entry limits out of a coin's own past."),
    "hedge-study": Command("apps.cli.greg_study", "Hedging measured on recorded chains."),
}

app = lazy_app(
    _COMMANDS, "The volatility-premium desk: advice only, until a person opens every gate."
)
