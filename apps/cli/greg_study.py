"""`options-agent greg hedge-study`: hedges measured on recorded chains, with a picture."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from apps.cli.console import show_json, show_table, show_text, table, tell
from apps.cli.file_tables import csv_table
from apps.cli.greg_study_page import page
from apps.cli.left_out import of_each
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.output_file import write_if_asked
from apps.wiring.market import archive_of, left_out_of
from core.analysis.hedge_paths import HedgeOutcome, excess_pct, frontier
from core.usecases.study_hedges import HedgeStudy, study_hedges

_FILE_COLUMNS = (
    *("underlying", "rule", "width_or_aversion", "cost_coin", "variance_coin2"),
    *("trades", "reduction_pct", "above_frontier_pct", "on_frontier"),
)


def command(
    chains: Annotated[Path, typer.Option("--chains", metavar="DIR", help="Recorded chains.")],
    coin: Annotated[
        list[str] | None, typer.Option("--coin", metavar="COIN", help="Default: BTC and ETH.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Cost and variance, as CSV.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="The picture, for a browser.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    How much variance a hedge takes off options over six hours, and what bands cost.

    Reduction compares with no hedge, by delta and by net delta. The frontier is of short
    straddles sold each Monday and held to 21 days; cost and variance are of one of them, in coin.
    """
    settings = settings_from(config, overrides).settings
    wanted = tuple(coin or ("BTC", "ETH"))

    async def measure() -> list[HedgeStudy]:
        archive = archive_of(chains, wanted)
        for line in await left_out_of(archive, wanted):
            tell(line)
        cost = settings.hedge.hedge_cost
        found: list[HedgeStudy] = []

        async def study(underlying: str) -> None:
            found.append(await study_hedges(archive, underlying, cost))

        await of_each(wanted, study)
        return found

    studies = asyncio.run(measure())
    if as_json:
        show_json({"ok": True, "studies": [asdict(study) for study in studies]})
    else:
        for study in studies:
            _show(study)
    write_if_asked(out, lambda: _csv(studies))
    write_if_asked(html, lambda: page(studies))


def _show(study: HedgeStudy) -> None:
    show_text(
        f"{study.underlying}: {study.snapshots} snapshots, {study.first_day} to {study.last_day}"
    )
    taken = ("intervals", "delta %", "net delta %")
    made = table("variance taken off", *taken, numbers=taken)
    for each in study.reductions:
        made.add_row(
            each.name, f"{each.count}", f"{each.by_delta_pct:.1f}", f"{each.by_net_delta_pct:.1f}"
        )
    show_table(made)
    along = frontier(study.outcomes)
    numbers = ("width or aversion", "cost coin", "variance", "trades", "taken off %", "above %")
    made = table("band", *numbers, "frontier", numbers=numbers, whole=("band",))
    for one in sorted(study.outcomes, key=lambda each: each.cost):
        made.add_row(
            one.params.name,
            f"{one.params.width:.3g}",
            f"{one.cost:.6f}",
            f"{one.variance:.3e}",
            f"{one.trades:.1f}",
            f"{one.reduction_pct:.1f}",
            f"{excess_pct(one, along):.1f}",
            "*" if one in along else "",
        )
    show_text(f"{study.straddles} short straddles, a trade costs {study.cost:.2%} of the coin")
    show_table(made)


def _csv(studies: Sequence[HedgeStudy]) -> str:
    rows: list[list[object]] = []
    for study in studies:
        along = frontier(study.outcomes)
        rows += [_row(study.underlying, one, along) for one in study.outcomes]
    return csv_table(_FILE_COLUMNS, rows)


def _row(coin: str, one: HedgeOutcome, along: Sequence[HedgeOutcome]) -> list[object]:
    return [
        coin,
        one.params.name,
        repr(one.params.width),
        f"{one.cost:.8f}",
        f"{one.variance:.6e}",
        f"{one.trades:.2f}",
        f"{one.reduction_pct:.3f}",
        f"{excess_pct(one, along):.3f}",
        one in along,
    ]
