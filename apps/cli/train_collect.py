"""`options-agent train collect`: training rows of a past, with a card."""

import asyncio
from pathlib import Path

from apps.cli.backtest_options import (
    CoinList,
    Data,
    Limits,
    Market,
    Seed,
    Since,
    Until,
    flags_of,
    require_past,
)
from apps.cli.backtest_run import bars
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.left_out import of_each
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.train_options import Embargo, Every, ProfileModeName, RowsFolder, TriedStyles
from apps.cli.train_views import card_record, style_row
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_past import Hooks
from apps.wiring.training import CollectRequest, collect_coin
from core.training.card import DatasetCard
from core.training.splits import SplitParams

_ALL_STYLES = "hold_to_expiry,take_profit,tp_and_roll,defensive_roll,time_exit,delta_exit"


def command(
    market: Market = None,
    data: Data = None,
    coins: CoinList = None,
    since: Since = None,
    until: Until = None,
    limits: Limits = None,
    seed: Seed = None,
    style: TriedStyles = _ALL_STYLES,
    profiles: ProfileModeName = None,
    every: Every = 1,
    embargo: Embargo = 21.0,
    out: RowsFolder = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Let the training profiles choose at every snapshot of a past, and try every call to its end.

    Writes rows of candidates and of decisions, as Parquet and CSV, and a card. Features are what
    was known at the decision; what each call came to stands in columns of its own.
    """
    flags = flags_of(locals())
    if profiles is not None:
        flags.append(f"policy.training_profile_mode={profiles}")
    settings = settings_from(config, [*flags, *(overrides or [])]).settings
    require_past(settings)
    request = CollectRequest(
        folder=out or settings.policy.training_data_dir,
        every=every,
        splits=SplitParams(embargo_days=embargo),
    )
    try:
        cards = asyncio.run(_collected(settings, request, quiet=as_json))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    if as_json:
        show_json({"mode": mode_line(settings), "cards": [card_record(card) for card in cards]})
        return
    show_text(f"TRAINING DATA  {mode_line(settings)}")
    for card in cards:
        _show(card, request.folder)


async def _collected(
    settings: Settings, request: CollectRequest, *, quiet: bool
) -> list[DatasetCard]:
    with bars(quiet=quiet) as shown:
        hooks, cards = Hooks(watch=shown.watch), list[DatasetCard]()

        async def collect(coin: Coin) -> None:
            cards.append(await collect_coin(settings, coin, request, hooks))

        await of_each(settings.venue.underlyings, collect)
        return cards


def _show(card: DatasetCard, folder: Path) -> None:
    splits = ", ".join(f"{name} {count}" for name, count in card.splits.items())
    show_text(
        f"\n{card.underlying}: {card.rows} rows of {card.decisions} decisions, {card.first} to "
        f"{card.last}; {card.candidates_per_decision:.1f} candidates a decision, "
        f"{card.decisions_without_candidates} decisions without any\n{splits}"
    )
    shown = table(
        "exit style",
        "settled",
        "mean, coin",
        "won, %",
        "profiles' mean",
        "best's mean",
        numbers=("settled", "mean, coin", "won, %", "profiles' mean", "best's mean"),
    )
    for each in card.styles:
        shown.add_row(*style_row(each))
    show_table(shown)
    for note in card.notes:
        tell(note)
    for file in card.files:
        tell(f"wrote {folder / file.name}")
