"""`scan`, `env` and `sweep` as processes: figures, files, what they refuse, and Ctrl-C."""

import csv
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.agents import start_agent
from tests.support.command_line import options_agent

SMALL = ("--paths", "4", "--horizon", "60", "--coin", "BTC")
AXES = ("--x", "vrp_30d_min=5:5:3", "--y", "adx_14d_max=15:5:2")
_PATIENCE_S = 60.0


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_frequency_scan_is_written_in_every_form(tmp_path: Path) -> None:
    """Table, CSV, Markdown and page have the same eight strategies."""
    files = ("--csv", "f.csv", "--markdown", "f.md", "--html", "f.html")
    ended = options_agent("scan", "frequency", *SMALL, *files, cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert "universe, 4 paths of 60 days, seed 7" in ended.stdout
    figures = lines_of(tmp_path / "f.csv")
    assert len(figures) == 8
    assert sum(int(each["selected_count"]) for each in figures) == 240
    assert "| NO_TRADE | 0 |" in (tmp_path / "f.md").read_text()
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert "<script src" not in page
    assert "shares-BTC" in page


def test_the_same_seed_gives_the_same_scan(tmp_path: Path) -> None:
    """In new processes, with other numbers of workers, and with nothing kept; another does not."""
    base = ("scan", "frequency", *SMALL, "--source", "baseline", "--json")
    scans = [
        json.loads(options_agent(*base, *more, cwd=tmp_path).stdout)["scans"]
        for more in (("--workers", "1"), ("--workers", "3", "--fresh"), ("--seed", "8"))
    ]

    assert scans[0] == scans[1]
    assert scans[0] != scans[2]


def test_a_heatmap_is_taken_up_again(tmp_path: Path) -> None:
    """Its cells are kept by name; forgetting them is said, and the figures are the same again."""
    asked = ("scan", "heatmap", "a_strangle", *SMALL, *AXES)
    first = json.loads(options_agent(*asked, "--json", cwd=tmp_path).stdout)
    kept = json.loads(options_agent("sweep", "list", "--json", cwd=tmp_path).stdout)["sweeps"]
    forgot = options_agent("sweep", "forget", kept[0]["name"], cwd=tmp_path)
    again = json.loads(options_agent(*asked, "--json", cwd=tmp_path).stdout)

    assert [len(first["values"]), len(first["values"][0])] == [2, 3]
    assert kept == [{"name": kept[0]["name"], "cells": 6}]
    assert forgot.stdout == "forgot 1 sweeps, 6 cells\n"
    assert first == again


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    """It says how to go on; the same command does, and comes to what one run comes to."""
    base = ("scan", "heatmap", "A_STRADDLE", "--source", "baseline", "--paths", "30")
    asked = (*base, "--x", "vrp_30d_min=5:2.5:8")
    running = start_agent(*asked, cwd=tmp_path)
    folder, until = tmp_path / "data" / "sweeps", time.monotonic() + _PATIENCE_S
    while not any(path.stat().st_size for path in folder.glob("*.jsonl")):
        assert time.monotonic() < until, "no cell was finished"
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=_PATIENCE_S)

    assert running.returncode == 130, said
    assert "the same command goes on with them" in said
    done = sum(len(path.read_text().splitlines()) for path in folder.glob("*.jsonl"))
    assert 0 < done < 40
    assert f"{done} of 40 cells are kept" in said
    resumed = options_agent(*asked, "--json", cwd=tmp_path)
    fresh = options_agent(*asked, "--json", "--fresh", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout) == json.loads(fresh.stdout)


def test_recorded_days_are_scanned(tmp_path: Path) -> None:
    """A CSV as `greg history` writes it; its gaps are told, and no path has a band."""
    (tmp_path / "days.csv").write_text(
        "day,underlying,vrp_30d,chop_factor_7d,adx_14d,skew_25d,strategy,reasoning\n"
        "2026-01-01,BTC,16,0.5,15,0,X,x\n"
        "2026-01-02,BTC,,,,,X,\n"
        "2026-01-01,ETH,16,0.5,15,0,X,x\n"
    )
    ended = options_agent(
        "scan", "frequency", "--source", "days.csv", "--coin", "BTC", "--json", cwd=tmp_path
    )
    scan = json.loads(ended.stdout)["scans"][0]
    straddle = next(each for each in scan["strategies"] if each["strategy"].endswith("STRADDLE"))

    assert (scan["source"], scan["steps"], scan["degraded"]) == ("recorded", 2, 0.5)
    assert (straddle["pass_count"], straddle["selected_count"]) == (1, 1)
    assert straddle["pass_pct_low"] is None


def test_an_environment_is_told_with_what_it_leaves_out(tmp_path: Path) -> None:
    """Cells as asked for; the share outside is not normalised away."""
    asked = ("--x", "vrp_30d=0:5:3", "--y", "adx_14d", "--bins", "4")
    files = ("--csv", "e.csv", "--html", "e.html")
    ended = options_agent(
        *("env", "heatmap", "--coin", "ETH", "--source", "baseline", "--paths", "3", *asked),
        *(*files, "--json"),
        cwd=tmp_path,
    )
    told = json.loads(ended.stdout)

    assert told["x"]["edges"] == [0.0, 5.0, 10.0, 15.0]
    assert told["inside"] + told["outside"] + told["unknown"] == told["steps"] == 3 * 365
    assert told["outside"] > 0
    assert sum(map(sum, told["counts"])) == told["inside"]
    assert len(lines_of(tmp_path / "e.csv")) == 12


def test_an_environment_can_be_smoothed(tmp_path: Path) -> None:
    """Cells are averaged with their neighbours: percents still sum to 100, counts are the same."""
    asked = ("env", "heatmap", "--source", "baseline", "--paths", "1", "--bins", "8", "--json")
    plain, smooth = (
        json.loads(options_agent(*asked, *more, cwd=tmp_path).stdout)
        for more in ((), ("--smooth", "2"))
    )

    assert (plain["smoothing_passes"], smooth["smoothing_passes"]) == (0, 2)
    assert smooth["counts"] == plain["counts"]
    assert sum(map(sum, smooth["values"])) == pytest.approx(100.0, abs=1e-9)
    assert max(map(max, smooth["values"])) < max(map(max, plain["values"]))


def test_sweet_spots_are_few_and_sure(tmp_path: Path) -> None:
    """Each was visited often enough, and says how sure its share is."""
    asked = ("--source", "baseline", "--paths", "5", "--coin", "BTC", "--least-count", "30")
    ended = options_agent("env", "sweetspots", *asked, "--markdown", "s.md", "--json", cwd=tmp_path)
    spots = json.loads(ended.stdout)["sweetspots"]

    assert spots
    for spot in spots:
        assert spot["count"] >= 30
        assert spot["pass_low"] <= spot["pass_share"] <= spot["pass_high"]
        assert spot["pnl"] is None
    assert (tmp_path / "s.md").read_text().startswith("# Sweet spots")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("scan", "heatmap", "moon"), "moon is no strategy"),
        (("scan", "frequency", "--source", "nowhere.csv"), "cannot read nowhere.csv"),
        (("scan", "heatmap", "F_BULL_PUT_SPREAD"), "no threshold adx_14d_max"),
        (("scan", "frequency", "--threshold", "rsi=3"), "rsi: unknown"),
        (("env", "heatmap", "--x", "vrp_30d=5:-1:3"), "a step above zero is wanted"),
        (("sweep", "forget", "nothing"), "name sweeps that there are: none"),
    ],
)
def test_misuse(tmp_path: Path, wrong: tuple[str, ...], said: str) -> None:
    """A sentence that names what is wrong, and nothing was computed."""
    ended = options_agent(*wrong, cwd=tmp_path)

    assert ended.returncode in (1, 2), ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_cluster_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    """Its address is named, and nothing hangs."""
    ended = options_agent(
        "scan", "frequency", *SMALL, "--cluster", "tcp://127.0.0.1:1", cwd=tmp_path
    )

    assert ended.returncode == 1
    assert "no scheduler answers at tcp://127.0.0.1:1" in ended.stderr


def on_a_full_disk(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A command where no file may grow beyond a hundred bytes."""

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    return subprocess.run(
        [sys.executable, "-m", "apps.cli.main", *words],
        cwd=cwd,
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_full_disk_ends_a_sweep_with_what_it_keeps(tmp_path: Path) -> None:
    """How many cells are kept under which name, and that the same command goes on."""
    asked = ("scan", "frequency", *SMALL, "--source", "baseline")
    ended = on_a_full_disk(*asked, cwd=tmp_path)
    again = options_agent(*asked, "--json", cwd=tmp_path)

    assert ended.returncode == 5
    assert "cells are kept as selections-" in ended.stderr
    assert "the same command goes on with them" in ended.stderr
    assert again.returncode == 0, again.stderr


def test_a_full_disk_loses_no_figures(tmp_path: Path) -> None:
    """Where a file cannot be written the table is shown, and what lay there before stays."""
    (tmp_path / "map.csv").write_text("of yesterday\n")
    asked = ("env", "heatmap", "--source", "baseline", "--paths", "2", "--horizon", "60")
    ended = on_a_full_disk(*asked, "--csv", "map.csv", cwd=tmp_path)

    assert ended.returncode == 1
    assert "map.csv cannot be written" in ended.stderr
    assert "BTC baseline: 120 steps" in ended.stdout
    assert [each.name for each in tmp_path.iterdir()] == ["map.csv"]
    assert (tmp_path / "map.csv").read_text() == "of yesterday\n"
