"""`options-agent sweep list`: the sweeps of which finished cells are kept."""

import asyncio

from apps.cli.console import show_json, show_table, table
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.wiring.sweeps import finished_cells, kept_counts


def command(
    as_json: AsJson = False, config: ConfigFiles = None, overrides: Overrides = None
) -> None:
    """The sweeps of which finished cells are kept; the same command goes on with them."""
    cells = finished_cells(settings_from(config, overrides).settings)
    counts = asyncio.run(kept_counts(cells))
    if as_json:
        show_json({"sweeps": [{"name": name, "cells": count} for name, count in counts.items()]})
        return
    made = table("sweep", "cells", numbers=("cells",), whole=("sweep",))
    for name, count in counts.items():
        made.add_row(name, str(count))
    show_table(made)
