"""The frame of the command line: a quick start, commands loaded late, failures in one line."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from apps.cli.commands import COMMANDS
from apps.cli.exits import ExitCode

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("attrs", "numba", "numpy", "orjson", "pandas", "pyarrow", "pydantic", "rich", "tomlkit")
REPORT = f"""
import atexit, sys
atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))
from apps.cli.main import main
main()
"""


@pytest.mark.parametrize("word", ["--help", "-h", "--version"])
def test_nothing_heavy_is_imported(word: str) -> None:
    """Help and version import none of the libraries that commands need."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, word],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_the_report_would_see_a_heavy_import() -> None:
    """A command that reads settings does import pydantic, and the report says so."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, "config", "check", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "pydantic" in done.stderr


def test_help_lists_commands_exit_codes_and_examples() -> None:
    """Each command with its short help, each exit code, and how to begin."""
    done = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    for name, entry in COMMANDS.items():
        assert f"{name} " in done.stdout
        assert entry.help in done.stdout
    for code in ExitCode:
        assert f"{code.value}  " in done.stdout
    assert "options-agent config new" in done.stdout


def test_version_is_that_of_the_package() -> None:
    """One line: the name and the installed version."""
    done = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"options-agent {version('options-agent')}\n"


COMMAND_THAT_FAILS = """
from ports.errors import Unavailable

def command(count: int) -> None:
    "Fail in the way that *count* asks for."
    raise (KeyboardInterrupt, Unavailable("venue: no answer"), KeyError("a bug"))[count]
"""
FRAME = """
from apps.cli.commands import COMMANDS, Command
from apps.cli.main import main
COMMANDS["fail"] = Command("command_that_fails", "Fail.")
COMMANDS["absent"] = Command("module_that_is_absent", "Not there.")
main()
"""


def run_with_failing_command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "command_that_fails.py").write_text(COMMAND_THAT_FAILS, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", FRAME, *words],
        cwd=folder,
        env={"PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_failure_of_the_outside_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    """A PortError ends as a sentence on stderr."""
    done = run_with_failing_command(tmp_path, "fail", "1")

    assert (done.returncode, done.stdout) == (ExitCode.FAILED, "")
    assert done.stderr == "error: venue: no answer\n"


def test_an_interruption_is_exit_code_130(tmp_path: Path) -> None:
    """Ctrl-C inside a command ends without a traceback."""
    done = run_with_failing_command(tmp_path, "fail", "0")

    assert done.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in done.stderr


def test_a_bug_is_reported_whole(tmp_path: Path) -> None:
    """Any other exception keeps its traceback, with exit code 1."""
    done = run_with_failing_command(tmp_path, "fail", "2")

    assert done.returncode == ExitCode.FAILED
    assert "Traceback" in done.stderr
    assert "KeyError: 'a bug'" in done.stderr


def test_a_command_without_a_module_does_not_break_the_others(tmp_path: Path) -> None:
    """It is listed; asking for it is misuse, said in one sentence."""
    listed = run_with_failing_command(tmp_path, "--help")
    asked = run_with_failing_command(tmp_path, "absent")

    assert (listed.returncode, asked.returncode) == (ExitCode.OK, ExitCode.MISUSE)
    assert "absent" in listed.stdout
    assert "absent is not part of this installation" in asked.stderr


def test_a_command_has_help_of_its_own(tmp_path: Path) -> None:
    """The docstring and parameters of a command are its help."""
    done = run_with_failing_command(tmp_path, "fail", "--help")

    assert done.stdout.startswith("Usage: options-agent fail [OPTIONS]")
    assert "Fail in the way that *count* asks for." in done.stdout
    assert "count <int>" in done.stdout
