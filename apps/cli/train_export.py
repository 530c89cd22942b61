"""`options-agent train export`: training rows as conversations, refused where they leak."""

import typer

from apps.cli.book_view import end
from apps.cli.console import problem, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson
from apps.cli.train_options import (
    CorpusFolder,
    DrawSeed,
    LabelChoice,
    LabelsAsked,
    OneCoin,
    OneStyle,
    Rows,
    Score,
    Skips,
)
from apps.cli.train_views import card_record, leak_lines, leak_records
from apps.wiring.training import ExportRequest, export_corpora
from core.training.corpus import Labels
from core.training.prompts import ScoreShown
from ports.errors import StoreDamaged


def command(
    source: Rows,
    out: CorpusFolder = None,
    labels: LabelsAsked = LabelChoice.BOTH,
    exit_style: OneStyle = None,
    underlying: OneCoin = None,
    score: Score = ScoreShown.SHOWN,
    skips: Skips = 1.0,
    seed: DrawSeed = 7,
    as_json: AsJson = False,
) -> None:
    """
    Conversations of three messages, one file for each style, labels, form and part of time.

    First everything is checked: where a feature was known only after its decision, or a prompt
    says anything that is no feature, nothing is written and the exit code is 1.
    """
    request = ExportRequest(
        source=source,
        folder=out or source.parent,
        labels=tuple(Labels) if labels is LabelChoice.BOTH else (Labels(labels),),
        score=score,
        skips_per_sell=skips,
        exit_style=exit_style,
        underlying=underlying,
        seed=seed,
    )
    try:
        exported = export_corpora(request)
    except StoreDamaged as error:
        end(str(error), ExitCode.FAILED)
    for line in exported.malformed:
        tell(f"left out: {line}")
    if as_json:
        card = None if exported.card is None else card_record(exported.card)
        show_json({"leaks": leak_records(exported.leaks), "card": card})
    if exported.card is None:
        for line in leak_lines(exported.leaks):
            problem(line)
        problem("nothing was written")
        raise typer.Exit(ExitCode.FAILED)
    if not as_json:
        for file in exported.card.files:
            show_text(f"{file.rows:7} {request.folder / file.name}")
