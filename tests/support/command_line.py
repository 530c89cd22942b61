"""`options-agent` run in this process: what it says and ends with, without starting another."""

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from attrs import frozen
from typer.testing import CliRunner

from apps.cli.endings import ending_of
from apps.cli.main import app

SELLS_SOMETHING = (  # whatever the invented market is like today, some call is sold
    *("--set", "research_ivrv_min=0"),
    *("--set", "premium_min_usd=0"),
    *("--set", "liquidity_max_spread_pct=50"),
    *("--set", "liquidity_min_open_interest=0"),
    *("--set", "research_dte_max=60"),
)


@frozen
class Ended:
    """What a command left behind, named as of a process."""

    returncode: int
    stdout: str
    stderr: str


def options_agent(
    *arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None
) -> Ended:
    """
    Run `options-agent` with *arguments* in *cwd* to its end, *environ* over the environment.

    A failure of the outside ends as it does in main(); a bug is raised.
    """
    runner = CliRunner(env={"COLUMNS": "200", **(environ or {})})
    with chdir(cwd):
        ran = runner.invoke(app, [str(each) for each in arguments])
    error = ran.exception
    if error is None or isinstance(error, SystemExit):
        return Ended(ran.exit_code, ran.stdout, ran.stderr)
    ending = ending_of(error) if isinstance(error, Exception) else None
    if ending is None:
        raise error
    return Ended(int(ending.code), ran.stdout, f"{ran.stderr}error: {ending.sentence}\n")
