"""`options-agent backtest presets`: what each preset sets."""

from apps.cli.console import show_json, show_table, table
from apps.cli.options import AsJson
from apps.settings.presets import PRESETS


def command(as_json: AsJson = False) -> None:
    """
    The settings that each preset makes; whatever is given in another way wins.

    CUSTOM, the default, sets nothing.
    """
    if as_json:
        show_json({name: dict(flags) for name, flags in PRESETS.items()})
        return
    made = table("setting", *PRESETS, numbers=tuple(PRESETS), whole=("setting",))
    for path in sorted({path for flags in PRESETS.values() for path in flags}):
        made.add_row(path, *(flags.get(path, "-") for flags in PRESETS.values()))
    show_table(made)
