"""`options-agent config` as a person or a script meets it: a process, its output, its code."""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from apps.settings.keys import BY_PATH
from apps.settings.load import load
from apps.settings.root import Settings

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "apps.cli.main"]


def environment(**variables: str) -> dict[str, str]:
    """Only what a process needs, so that no variable of the tester becomes a setting."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables}


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def answer(folder: Path, typed: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run on a terminal, with *typed* at its keyboard."""
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, typed)
        return subprocess.run(
            [*COMMAND, *words],
            cwd=folder,
            env=environment(),
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(keyboard)


def test_a_new_file_holds_every_default(tmp_path: Path) -> None:
    """`config new` writes a private file that reads back as the defaults, dry run on."""
    done = run(tmp_path, "config", "new", "mine.toml")
    file = tmp_path / "mine.toml"

    assert (done.returncode, done.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load((file,), {}, {}, None).settings == Settings()
    assert "dry_run = true" in file.read_text(encoding="utf-8")


def test_a_new_file_describes_every_key(tmp_path: Path) -> None:
    """Each key is in the file, under its section, with its description."""
    run(tmp_path, "config", "new")
    text = (tmp_path / "options-agent.toml").read_text(encoding="utf-8")

    for key in BY_PATH.values():
        assert f"[{key.section}]" in text
        assert key.description in text
        assert key.name in text or key.variable in text


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    """`config new` leaves a file that is there as it is, and says so."""
    file = tmp_path / "options-agent.toml"
    file.write_text("seed = 3\n", encoding="utf-8")

    done = run(tmp_path, "config", "new")

    assert done.returncode == 2
    assert "it exists" in done.stderr
    assert file.read_text(encoding="utf-8") == "seed = 3\n"


def test_a_new_file_in_a_missing_folder_is_one_line_of_error(tmp_path: Path) -> None:
    """A path that cannot be written ends in a sentence, not in a traceback."""
    done = run(tmp_path, "config", "new", "none/mine.toml")

    assert done.returncode == 2
    assert done.stderr == "error: none/mine.toml is not written: No such file or directory\n"


def test_questions_are_asked_on_a_terminal(tmp_path: Path) -> None:
    """Answers go into the file; an answer that is not allowed is asked for again."""
    done = answer(tmp_path, b"moon\nmainnet\nproduction\n\n", "config", "new")

    text = (tmp_path / "options-agent.toml").read_text(encoding="utf-8")
    assert done.returncode == 0
    assert 'deribit_env = "mainnet"' in text
    assert 'mode = "production"' in text
    assert "dry_run = true" in text


def test_answers_that_contradict_each_other_write_nothing(tmp_path: Path) -> None:
    """Live on mainnet without production and without a key is refused before writing."""
    done = answer(tmp_path, b"mainnet\nresearch\nfalse\n", "config", "new")

    assert done.returncode == 2
    assert not (tmp_path / "options-agent.toml").exists()


def test_leaving_the_questions_is_an_interruption(tmp_path: Path) -> None:
    """The end of input at a question ends with exit code 130, and nothing is written."""
    done = answer(tmp_path, b"mainnet\n\x04", "config", "new")

    assert done.returncode == 130
    assert not (tmp_path / "options-agent.toml").exists()


def test_show_names_the_source_of_each_value(tmp_path: Path) -> None:
    """Value and source of every key, as one JSON object and nothing else."""
    (tmp_path / "a.toml").write_text("seed = 3\nmax_open_chains = 3\n", encoding="utf-8")
    (tmp_path / ".env").write_text("ORDER_BURST=6\n", encoding="utf-8")

    done = run(
        tmp_path,
        "config",
        "show",
        "--json",
        "--config",
        "a.toml",
        "--set",
        "mode=production",
        MAX_OPEN_CHAINS="4",
    )
    shown = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert list(shown) == sorted(BY_PATH)
    assert shown["venue.seed"] == {"value": 3, "source": "file a.toml"}
    assert shown["risk.order_burst"] == {"value": 6, "source": "file .env"}
    assert shown["risk.max_open_chains"] == {"value": 4, "source": "environment MAX_OPEN_CHAINS"}
    assert shown["venue.mode"] == {"value": "production", "source": "flag"}
    assert shown["loop.dry_run"] == {"value": True, "source": "default"}


def test_show_starts_with_the_mode_and_lists_every_key(tmp_path: Path) -> None:
    """The first line leaves no doubt about venue, mode and dry run; no colour in a pipe."""
    done = run(tmp_path, "config", "show")

    assert done.returncode == 0
    assert done.stdout.startswith("TESTNET | research | DRY-RUN | rule_only\n")
    assert all(path in done.stdout for path in BY_PATH)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_shown_only_when_asked_for(tmp_path: Path, form: tuple[str, ...]) -> None:
    """The secret is hidden unless --show-sensitive is given."""
    key = {"DERIBIT_CLIENT_ID": "me", "DERIBIT_CLIENT_SECRET": "correct-horse"}

    hidden = run(tmp_path, "config", "show", *form, **key)
    clear = run(tmp_path, "config", "show", "--show-sensitive", *form, **key)

    assert "set, hidden" in hidden.stdout
    assert "correct-horse" not in hidden.stdout + hidden.stderr
    assert "correct-horse" in clear.stdout


def test_check_passes_valid_settings(tmp_path: Path) -> None:
    """Valid settings are said to be valid, with exit code 0."""
    done = run(tmp_path, "config", "check")

    assert (done.returncode, done.stdout, done.stderr) == (0, "settings are valid\n", "")


def test_check_names_every_fault_on_a_line_of_its_own(tmp_path: Path) -> None:
    """All faults, from a file, a flag and the environment, on stderr with exit code 2."""
    (tmp_path / "options-agent.toml").write_text("[loop]\ndryrun = true\n", encoding="utf-8")

    done = run(
        tmp_path,
        "config",
        "check",
        "--set",
        "risk.max_margin_used_pct=180",
        "--set",
        "nonsense",
        DECISION_MODE="llm_only",
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: --set: found nonsense, allowed KEY=VALUE; such as risk.max_margin_used_pct=60",
        "error: loop.dryrun: found an unknown key in file options-agent.toml, "
        "allowed a known key; did you mean loop.dry_run?",
        "error: risk.max_margin_used_pct: found 180, allowed 0 < x <= 100; correct the flag",
        "error: llm.llm_enabled: found false, allowed true while llm.decision_mode is llm_only; "
        "turn it on, or set llm.decision_mode to rule_only",
    ]


def test_check_gives_faults_as_json(tmp_path: Path) -> None:
    """With --json the faults are records on stdout, and the exit code is still 2."""
    done = run(tmp_path, "config", "check", "--json", "--set", "seed=-1")

    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout) == {
        "valid": False,
        "faults": [
            {
                "path": "venue.seed",
                "found": "-1",
                "allowed": "a whole number, 0 <= x",
                "fix": "correct the flag",
            }
        ],
    }


@pytest.mark.parametrize(
    "name", ["risk.max_margin_used_pct", "max_margin_used_pct", "MAX_MARGIN_USED_PCT"]
)
def test_explain_says_all_about_a_key(tmp_path: Path, name: str) -> None:
    """Meaning, bounds, default, present value, source and the names in other sources."""
    done = run(tmp_path, "config", "explain", name, "--set", "max_margin_used_pct=70")
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())

    assert done.returncode == 0
    assert facts == {
        "key": "risk.max_margin_used_pct",
        "meaning": "cap on initial margin over equity after the trade, percent",
        "kind": "number",
        "allowed": "0 < x <= 100",
        "default": "80.0",
        "value": "70.0",
        "source": "flag",
        "environment": "MAX_MARGIN_USED_PCT",
        "flag": "--set risk.max_margin_used_pct=VALUE",
    }


def test_explain_answers_while_the_settings_are_at_fault(tmp_path: Path) -> None:
    """The key is explained although its present value cannot be known."""
    done = run(tmp_path, "config", "explain", "seed", "--set", "seed=x", "--set", "mode=y")

    assert done.returncode == 0
    assert "not known: faults that config check names: 2" in done.stdout


def test_explain_of_an_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    """A misspelt key ends with exit code 2 and a suggestion."""
    done = run(tmp_path, "config", "explain", "dry_rum")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: dry_rum is not a setting; did you mean loop.dry_run?\n"


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    """OPTIONS_AGENT_CONFIG stands in for the file in the folder; --config for both."""
    for name, seed in (("options-agent", 1), ("named", 2), ("given", 3)):
        (tmp_path / f"{name}.toml").write_text(f"seed = {seed}\n", encoding="utf-8")

    def seed_of(*words: str, **variables: str) -> object:
        done = run(tmp_path, "config", "show", "--json", *words, **variables)
        return json.loads(done.stdout)["venue.seed"]["value"]

    assert seed_of() == 1
    assert seed_of(OPTIONS_AGENT_CONFIG="named.toml") == 2
    assert seed_of("--config", "given.toml", OPTIONS_AGENT_CONFIG="named.toml") == 3


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("config", "frobnicate"), ("config", "show", "--frobnicate")]
)
def test_misuse_is_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    """An unknown command or option ends with usage on stderr and exit code 2."""
    done = run(tmp_path, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage:" in done.stderr
