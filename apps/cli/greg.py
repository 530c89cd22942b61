"""`options-agent greg`: what the volatility-premium desk sees, advises and would hedge."""

import typer

from apps.cli import (
    greg_advice,
    greg_hedge,
    greg_history,
    greg_mode,
    greg_positions,
    greg_sensors,
    greg_study,
)

app = typer.Typer(
    help="The volatility-premium desk: advice only, until a person opens every gate.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("sensors")(greg_sensors.command)
app.command("advise")(greg_advice.command)
app.command("positions")(greg_positions.command)
app.command("hedge")(greg_hedge.command)
app.command("mode")(greg_mode.command)
app.command("history")(greg_history.command)
app.command("hedge-study")(greg_study.command)
