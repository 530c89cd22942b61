"""`database` as a process: where it is, how it stands, and its migrations."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.support.command_line import options_agent


def test_a_file_is_made_when_it_is_migrated(tmp_path: Path) -> None:
    """Looking makes none; the second time there is nothing to do."""
    first = options_agent("database", "status", "--json", cwd=tmp_path)
    assert json.loads(first.stdout)["standing"] == "empty"
    assert not (tmp_path / "data").exists()

    made = options_agent("database", "migrate", cwd=tmp_path)
    again = options_agent("database", "migrate", cwd=tmp_path)
    status = json.loads(options_agent("database", "status", "--json", cwd=tmp_path).stdout)

    assert "from empty to revision" in made.stdout
    assert "is current" in again.stdout
    assert (status["standing"], status["ok"]) == ("current", True)
    assert status["url"] == "sqlite:///data/research.sqlite"


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """By the command that would use it, too; the sentence names both revisions."""
    options_agent("database", "migrate", cwd=tmp_path)
    with sqlite3.connect(tmp_path / "data" / "research.sqlite") as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()

    status = options_agent("database", "status", cwd=tmp_path)
    listed = options_agent("backtest", "list", cwd=tmp_path)

    assert status.returncode == 1
    assert "newer schema, revision 9999" in status.stdout
    assert listed.returncode != 0
    assert "newer schema, revision 9999" in listed.stderr


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgresql://me:sesame@127.0.0.1:1/research", 1, "127.0.0.1"),
        ("mysql://me:sesame@host/research", 2, "database.database_url"),
    ],
)
def test_a_database_that_is_away_or_unknown(tmp_path: Path, url: str, code: int, said: str) -> None:
    """It is named, and the password is in no output."""
    settings = tmp_path / "options-agent.toml"
    settings.write_text(f'[database]\ndatabase_url = "{url}"\n')
    settings.chmod(0o600)
    ended = options_agent("database", "status", cwd=tmp_path)

    assert ended.returncode == code
    assert said in ended.stderr
    assert "sesame" not in ended.stderr + ended.stdout


def test_a_run_that_is_not_there_cannot_be_deleted(tmp_path: Path) -> None:
    """It is named."""
    ended = options_agent("backtest", "delete", "nobody", cwd=tmp_path)

    assert ended.returncode == 1
    assert ended.stderr == "error: there is no run nobody\n"
