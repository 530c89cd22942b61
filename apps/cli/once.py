"""`options-agent once`: one tick, then exit."""

from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.cli.trading import RunOptions, trade


def command(
    venue: VenueKind = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Run one tick on every coin, with every reason, then put the book down."""
    loaded = settings_from(config, overrides, venue)
    trade(loaded.settings, RunOptions(ticks=1, in_full=True, as_json=as_json))
