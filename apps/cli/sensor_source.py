"""Where the sensors of a scan come from: an invented market, waves, or recorded days."""

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from attrs import asdict, frozen

from apps.cli.book_view import end
from apps.cli.exits import ExitCode
from apps.wiring.sensor_files import recorded_series
from apps.wiring.universe_file import universe_of
from core.analysis.sensor_baseline import SOURCE as BASELINE
from core.analysis.sensor_baseline import baseline_series
from core.analysis.sensor_series import SensorSeries
from core.analysis.sensor_universe import SOURCE as UNIVERSE
from core.analysis.sensor_universe import universe_series
from core.usecases.scan import Origin

Source: TypeAlias = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="universe|baseline|FILE",
        help="The invented market, independent waves, or a CSV as `greg history --out` writes it.",
    ),
]
Paths: TypeAlias = Annotated[
    int, typer.Option("--paths", min=1, help="Invented paths; bands want 200 or more.")
]
Horizon: TypeAlias = Annotated[
    int, typer.Option("--horizon", min=1, max=3650, help="Days of a path; a FILE has its own.")
]
Interval: TypeAlias = Annotated[
    int, typer.Option("--interval", min=1, max=30, help="Days from decision to decision.")
]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Of invented paths.")]


@frozen(kw_only=True)
class SourceChoice:
    """What a scan is run on."""

    source: str
    paths: int
    horizon_days: int
    interval_days: int
    seed: int

    @property
    def is_invented(self) -> bool:
        """Whether there is no file of days to read."""
        return self.source in (BASELINE, UNIVERSE)

    def series(self, underlying: str) -> SensorSeries:
        """
        The sensors of *underlying*, every *interval_days*.

        Raises:
            PortError: The file cannot be read.
        """
        try:
            return self._daily(underlying).part(slice(None), self.interval_days)
        except ValueError as error:
            end(str(error), ExitCode.MISUSE)

    def _daily(self, underlying: str) -> SensorSeries:
        drawn = {"paths": self.paths, "steps": self.horizon_days, "seed": self.seed}
        if self.source == UNIVERSE:
            return universe_series(universe_of(None), underlying, **drawn)
        if self.source == BASELINE:
            return baseline_series(underlying, **drawn)
        return recorded_series(Path(self.source), underlying)

    def origin(self, underlyings: tuple[str, ...]) -> Origin:
        """What the figures of those series depend on."""
        return Origin(
            fields={
                **asdict(self),
                "underlyings": list(underlyings),
                "content": sha256(self._content()).hexdigest(),
                "program": version("options-agent"),
            }
        )

    def _content(self) -> bytes:
        """What stands behind the name of the source."""
        if self.source == UNIVERSE:
            return repr(asdict(universe_of(None))).encode()
        return b"" if self.source == BASELINE else Path(self.source).read_bytes()

    def __str__(self) -> str:
        if self.is_invented:
            return (
                f"{self.source}, {self.paths} paths of {self.horizon_days} days, seed {self.seed}"
            )
        return f"recorded days of {self.source}"
