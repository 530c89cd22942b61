"""Training data from the command line: collected, exported, and refused where they leak."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent
from tests.support.recorded import recorded_data
from tests.support.recordings import write_recording

STYLES = ("--style", "hold_to_expiry,tp_and_roll")
# Two styles, each: imitation in both forms, and hindsight as rankings. After sixteen days some
# call of every decision is still open, so that hindsight knows no best one to sell.
CORPORA = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recorded chains of sixteen days in it, and the rows made of them."""
    home = tmp_path_factory.mktemp("training")
    write_archive(home / "recorded", days=16)
    ended = collect(home, "--market", "recorded", "--data", str(home / "recorded"))
    assert ended.returncode == 0, ended.stderr
    return home


def collect(home: Path, *options: str) -> Ended:
    return options_agent(
        "train", "collect", *STYLES, "--coins", "BTC", "--out", "rows", "--json", *options, cwd=home
    )


def rows_in(home: Path) -> Path:
    (found,) = (home / "rows").glob("training_candidates_BTC_*.parquet")
    return found


def card_in(home: Path) -> dict[str, Any]:
    (found,) = (home / "rows").glob("*.card.json")
    card: dict[str, Any] = json.loads(found.read_text())
    return card


def with_column(source: Path, target: Path, name: str, cells: pa.Array) -> None:
    """*source* again at *target*, with *cells* as the column *name*."""
    table = pq.read_table(source)
    if name in table.column_names:
        table = table.set_column(table.column_names.index(name), name, cells)
    else:
        table = table.append_column(name, cells)
    pq.write_table(table, target)


def test_rows_are_written_with_a_card_that_tells_them(folder: Path) -> None:
    """Counts, dates and the hash of every file, which is that of what lies there."""
    card = card_in(folder)

    assert card["rows"] == pq.read_metadata(rows_in(folder)).num_rows > 500
    assert card["decisions"] == 16 * 4
    assert (card["first"][:7], card["schema_version"]) == ("2026-03", 1)
    assert {style["exit_style"] for style in card["styles"]} == {"hold_to_expiry", "tp_and_roll"}
    for file in card["files"]:
        data = (folder / "rows" / file["name"]).read_bytes()
        assert (sha256(data).hexdigest(), len(data)) == (file["sha256"], file["size_bytes"])
    assert len(card["files"]) == 4
    assert any("too short a time to split" in note for note in card["notes"])


def test_rows_and_corpora_pass_the_check(folder: Path, tmp_path: Path) -> None:
    """Exported both ways; every line is a conversation, and the check finds nothing."""
    ended = options_agent("train", "export", rows_in(folder), "--out", tmp_path, cwd=folder)

    assert ended.returncode == 0, ended.stderr
    corpora = sorted(tmp_path.glob("*.jsonl"))
    assert len(corpora) == CORPORA
    for path in corpora:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert all(set(line) == {"messages"} for line in lines)
    for checked in (tmp_path, folder / "rows"):
        ended = options_agent("train", "check", checked, cwd=folder)
        assert (ended.returncode, "no leak" in ended.stdout) == (0, True), ended.stderr


def test_the_same_rows_come_from_csv(folder: Path, tmp_path: Path) -> None:
    """Corpora of the CSV are those of the Parquet file, byte for byte."""
    for suffix in (".parquet", ".csv"):
        source, out = rows_in(folder).with_suffix(suffix), tmp_path / suffix[1:]
        assert options_agent("train", "export", source, "--out", out, cwd=folder).returncode == 0
    names = [path.name for path in sorted((tmp_path / "csv").glob("*.jsonl"))]

    assert len(names) == CORPORA
    for name in names:
        ours, theirs = tmp_path / "csv" / name, tmp_path / "parquet" / name
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_field_dated_after_the_decision_stops_the_export(folder: Path, tmp_path: Path) -> None:
    """Exit code 1, the field named, and not one file written."""
    planted = tmp_path / "training_candidates_planted.parquet"
    stamps = pq.read_table(rows_in(folder))["market_as_of_ms"].to_pylist()
    stamps[40] += 3_600_000
    with_column(rows_in(folder), planted, "market_as_of_ms", pa.array(stamps))

    ended = options_agent("train", "export", planted, "--out", tmp_path / "corpora", cwd=folder)

    assert ended.returncode == 1
    assert "leak: regime: known at " in ended.stderr
    assert not (tmp_path / "corpora").exists()
    assert options_agent("train", "check", planted, cwd=folder).returncode == 1


def test_a_field_from_the_future_stops_the_export(folder: Path, tmp_path: Path) -> None:
    """A column beside the schema is refused by its name, in JSON too."""
    planted = tmp_path / "training_candidates_planted.parquet"
    rows = pq.read_metadata(rows_in(folder)).num_rows
    with_column(rows_in(folder), planted, "spot_tomorrow", pa.array([1.0] * rows))

    ended = options_agent("train", "export", planted, "--out", tmp_path / "c", "--json", cwd=folder)

    assert ended.returncode == 1
    (leak,) = json.loads(ended.stdout)["leaks"]
    assert leak["where"] == "spot_tomorrow"
    assert not (tmp_path / "c").exists()


def test_an_outcome_written_into_a_corpus_is_found(folder: Path, tmp_path: Path) -> None:
    """By the check of the files themselves, whoever made them."""
    made = options_agent("train", "export", rows_in(folder), "--out", tmp_path, cwd=folder)
    assert made.returncode == 0
    path = sorted(tmp_path.glob("*.jsonl"))[0]
    path.write_text(path.read_text().replace("\\nregime: ", "\\nreward: 0.01\\nregime: ", 1))

    ended = options_agent("train", "check", tmp_path, cwd=folder)

    assert ended.returncode == 1
    assert "reward: 0.01" in ended.stderr


def test_what_is_no_data_is_named(folder: Path, tmp_path: Path) -> None:
    """No such file, an empty folder, a style that is not there: one line, exit code 1."""
    for arguments in (
        ("export", tmp_path / "none.parquet"),
        ("check", tmp_path),
        ("export", rows_in(folder), "--exit-style", "delta_exit"),
    ):
        ended = options_agent("train", *arguments, cwd=folder)
        assert ended.returncode == 1, ended.stdout
        assert len(ended.stderr.splitlines()) == 1
        assert ended.stderr.startswith("error: ")


def test_a_coin_without_data_is_named_beside_the_other(tmp_path: Path) -> None:
    """BTC has its card although ETH, asked for first, was not recorded."""
    recording = write_recording(tmp_path, days=9)
    options = ("--market", "recorded", "--data", str(recording), "--every", "4")
    ended = collect(tmp_path, *options, "--coins", "ETH,BTC")

    assert ended.returncode == 0, ended.stderr
    assert "ETH is left out: no snapshot of ETH" in ended.stderr
    assert [card["underlying"] for card in json.loads(ended.stdout)["cards"]] == ["BTC"]


def test_an_invented_market_gives_rows_too(tmp_path: Path) -> None:
    """Two weeks of a synthetic market: the same command, and no leak."""
    days = ("--market", "synthetic", "--from", "2025-03-01", "--to", "2025-03-14")
    hours = ("--set", "backtest.backtest_interval_minutes=720")
    ended = collect(tmp_path, *days, *hours)

    assert ended.returncode == 0, ended.stderr
    assert card_in(tmp_path)["decisions"] == 28
    assert options_agent("train", "check", "rows", cwd=tmp_path).returncode == 0


def test_a_backtest_leaves_rows_where_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    """Those that collect makes of the same past, beside the run itself."""
    told = (f"venue.data_dir={tmp_path}", f"policy.training_data_dir={tmp_path / 'rows'}")
    ended = options_agent(
        "backtest", "run", "--engine", "fast", "--market", "recorded", "--data",
        folder / "recorded", "--coins", "BTC", *STYLES, "--set", "policy.save_training_data=true",
        "--set", told[0], "--set", told[1], cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    ours, theirs = (rows_in(home).with_suffix(".csv") for home in (tmp_path, folder))
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_script_is_the_command(folder: Path, tmp_path: Path) -> None:
    """build_training_corpus.py takes the arguments of export."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "build_training_corpus.py"
    command = [sys.executable, script, rows_in(folder), "--output-dir", tmp_path]
    ended = subprocess.run(
        command, cwd=script.parents[1], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert len(list(tmp_path.glob("*.jsonl"))) == CORPORA


def test_recorded_january_has_no_leak(tmp_path: Path) -> None:
    """Real chains of both coins through the whole way."""
    chains = recorded_data() / "chains" / "timeseries"
    ended = options_agent(
        "train", "collect", "--market", "recorded", "--data", chains, "--to", "2026-01-31",
        "--every", "4", "--style", "hold_to_expiry", "--out", "rows", "--json", cwd=tmp_path,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert [card["underlying"] for card in json.loads(ended.stdout)["cards"]] == ["BTC", "ETH"]
    assert options_agent("train", "check", "rows", cwd=tmp_path).returncode == 0
