"""`surface` and `surface-report`: tables, JSON, files, and what they refuse."""

import json
from pathlib import Path

import pytest

from tests.support.agents import agent
from tests.support.archives import write_archive
from tests.support.command_line import options_agent


def test_a_table_of_the_invented_market(tmp_path: Path) -> None:
    """Every expiry has its row, and the index its three lines."""
    ended = options_agent("surface", "BTC", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(" SVI ") >= 8
    assert "thirty-day index" in ended.stdout
    assert "maturity" in ended.stdout


def test_json_has_every_expiry(tmp_path: Path) -> None:
    """JSON says of each expiry what it got, in fractions."""
    ended = options_agent("surface", "ETH", "--json", "--at", "2026-03-02T10:00", cwd=tmp_path)
    told = json.loads(ended.stdout)

    assert told["underlying"] == "ETH"
    assert sum(told["rows"].values()) > 100
    for expiry in told["expiries"]:
        assert (expiry["reading"] is None) == (expiry["rmse"] is None)
    assert {0.05 < each["atm_iv"] < 3.0 for each in told["maturities"]} == {True}


@pytest.mark.parametrize(
    "wrong", [["DOGE"], ["BTC", "--at", "yesterday"], ["BTC", "--set", "venue.market=moon"]]
)
def test_misuse(tmp_path: Path, wrong: list[str]) -> None:
    """An unknown coin, instant or market is misuse, said in a sentence."""
    ended = options_agent("surface", *wrong, cwd=tmp_path)

    assert ended.returncode == 2
    assert ended.stderr


def test_a_page_needs_no_network(tmp_path: Path) -> None:
    """Plotly's script is in it, and no address of anybody's."""
    ended = options_agent("surface", "BTC", "--html", "page.html", cwd=tmp_path)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert ended.returncode == 0, ended.stderr
    assert len(page) > 1_000_000
    assert "<script src" not in page


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is a sentence that names it, and a failure."""
    ended = agent("surface", "BTC", "--html", "nowhere/page.html", cwd=tmp_path)

    assert ended.returncode == 1
    assert ended.stderr == "error: nowhere/page.html cannot be written: No such file or directory\n"


def test_a_report_of_recorded_chains(tmp_path: Path) -> None:
    """The report names every target, and the months that were recorded."""
    archive = write_archive(tmp_path / "recorded", days=3)
    ended = options_agent(
        "surface-report", str(archive), "--coin", "BTC", "--out", "report.md", cwd=tmp_path
    )

    assert ended.returncode == 0, ended.stderr
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    for figure in ("RMSE", "inside bid and ask", "butterfly", "cross", "left out", "one chain"):
        assert figure in report


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is a sentence that names it, and a failure."""
    archive = write_archive(tmp_path / "recorded", days=1)
    ended = agent(
        "surface-report", str(archive), "--coin", "BTC", "--out", "none/report.md", cwd=tmp_path
    )

    assert ended.returncode == 1
    assert ended.stderr.endswith(
        "error: none/report.md cannot be written: No such file or directory\n"
    )


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--dvol", "nowhere"]])
def test_no_recording(tmp_path: Path, arguments: list[str]) -> None:
    """Where nothing was recorded the report says so and fails."""
    ended = options_agent("surface-report", *arguments, "--coin", "BTC", cwd=tmp_path)

    assert ended.returncode == 1
    assert "nowhere" in ended.stderr
