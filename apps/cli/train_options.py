"""What the commands of `train` are asked."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from core.training.prompts import ScoreShown


class LabelChoice(StrEnum):
    """Whose answers are taught."""

    IMITATION = "imitation"
    HINDSIGHT = "hindsight"
    BOTH = "both"


TriedStyles: TypeAlias = Annotated[
    str, typer.Option("--style", help="Exit styles that every call is tried with.")
]
ProfileModeName: TypeAlias = Annotated[
    str | None, typer.Option("--profiles", help="ladder, or single: calls each profile takes.")
]
Every: TypeAlias = Annotated[
    int, typer.Option("--every", min=1, help="Snapshots from one decision to the next.")
]
Embargo: TypeAlias = Annotated[
    float,
    typer.Option("--embargo", min=21.0, help="Days between parts; the longest expiry is 21."),
]
RowsFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Where to; default: policy.training_data_dir."),
]
Rows: TypeAlias = Annotated[
    Path, typer.Argument(metavar="ROWS", help="Rows of candidates: Parquet or CSV.")
]
CorpusFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", "--output-dir", metavar="DIR", help="Default: beside ROWS."),
]
LabelsAsked: TypeAlias = Annotated[LabelChoice, typer.Option("--labels", help="Whose answers.")]
OneStyle: TypeAlias = Annotated[
    str | None, typer.Option("--exit-style", help="One exit style; default: each.")
]
OneCoin: TypeAlias = Annotated[
    str | None, typer.Option("--underlying", help="One coin; default: each.")
]
Score: TypeAlias = Annotated[
    ScoreShown, typer.Option("--score", help="Whether prompts show the profiles' own score.")
]
Skips: TypeAlias = Annotated[
    float, typer.Option("--skips", min=0.0, help="SKIP for each SELL_CALL, at most.")
]
DrawSeed: TypeAlias = Annotated[
    int, typer.Option("--seed", help="Seed of orders and of the SKIP that are kept.")
]
