"""The agent as a process, the way a person starts it."""

import os
import subprocess
import sys
from pathlib import Path

_WIDE = {**os.environ, "COLUMNS": "200"}  # tables are as wide as the terminal is said to be


def agent(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `options-agent` with *arguments* in *cwd* to its end."""
    command = [sys.executable, "-m", "apps.cli.main", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=_WIDE, capture_output=True, text=True, timeout=300, check=False
    )


def start_agent(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """Start `options-agent` with *arguments* in *cwd* and return the running process."""
    command = [sys.executable, "-m", "apps.cli.main", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=cwd, env=_WIDE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
