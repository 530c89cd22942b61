"""Sandbox, execution, decision log and report of `greg`: end to end, and with what goes wrong."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.files.rule_documents import ENTRY, POSITION
from tests.support.command_line import Ended, options_agent
from tests.support.folders import payloads
from tests.support.wire_processes import address, free_port

BOOK = Path("data") / "paper-synthetic-seed7"
AWAY = {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}
MAINNET = ("--set", "venue.deribit_env=mainnet", "--set", "venue.mode=production")
SCRIPTS = Path(__file__).parents[2] / "scripts"


def told(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with fourteen positions of the sandbox."""
    assert options_agent("greg", "sandbox", "open", cwd=tmp_path).returncode == 0
    return tmp_path


def test_the_sandbox_is_seen_by_the_lab_and_by_nobody_else(desk: Path) -> None:
    """Fourteen in the list and the lab, none among positions, decisions or orders."""
    listed = told(options_agent("greg", "sandbox", "list", "--json", cwd=desk))["positions"]
    shown = told(options_agent("greg", "positions", "--json", cwd=desk))
    main = told(options_agent("positions", "--json", cwd=desk))

    assert len(listed) == 14
    assert {each["origin"] for each in listed} == {"GREG_SANDBOX"}
    assert (shown["count"], shown["sandbox_summary"]["btc_count"]) == (14, 7)
    assert {each["badge"] for each in shown["positions"]} == {"SANDBOX"}
    assert shown["sandbox_summary"]["run_id"] == listed[0]["run_id"]
    assert "sandbox" not in json.dumps(main).lower()
    assert payloads(desk / BOOK, "Sent") == []


def test_the_sandbox_is_put_away(desk: Path) -> None:
    """Closed ones stay in the list; a new run does not mix with them."""
    closed = told(options_agent("greg", "sandbox", "close", "--json", cwd=desk))
    listed = told(options_agent("greg", "sandbox", "list", "--json", cwd=desk))["positions"]

    assert closed["closed"] == 14
    assert {each["state"] for each in listed} == {"closed"}
    assert told(options_agent("greg", "positions", "--json", cwd=desk))["count"] == 0


@pytest.mark.parametrize("profile", [("--vol", "60"), ("--chain", "venue")])
def test_the_sandbox_may_be_priced(tmp_path: Path, profile: tuple[str, ...]) -> None:
    """At a stated volatility, or off the chain: every profit is known then."""
    opened = told(options_agent("greg", "sandbox", "open", *profile, "--json", cwd=tmp_path))
    shown = told(options_agent("greg", "positions", "--json", cwd=tmp_path))["positions"]

    assert len(opened["opened"]) == 14
    assert all(each["pnl_pct"] is not None for each in shown)


def test_flags_of_the_script(desk: Path) -> None:
    """--list shows and stops, --clear-only puts away and stops, whatever else is given."""
    listed = options_agent("greg", "sandbox", "open", "--list", "--json", cwd=desk)
    cleared = options_agent(
        *("greg", "sandbox", "open", "--clear-only", "--btc-size", "1", "--json"), cwd=desk
    )

    assert len(told(listed)["positions"]) == 14
    assert told(cleared)["closed"] == 14
    assert told(options_agent("greg", "positions", "--json", cwd=desk))["count"] == 0


def test_what_cannot_be_opened_is_told_and_the_rest_is_opened(tmp_path: Path) -> None:
    """An unknown coin fails seven times, in sentences; exit code 1."""
    ended = options_agent(
        "greg", "sandbox", "open", "--underlyings", "BTC,DOGE", "--json", cwd=tmp_path
    )

    assert ended.returncode == 1
    assert (len(told(ended)["opened"]), len(told(ended)["failed"])) == (7, 7)
    assert "unknown coin" in ended.stderr


def test_the_sandbox_is_refused_where_orders_are_real(tmp_path: Path) -> None:
    """Dry run off and no testnet: exit code 1, and no book is begun."""
    ended = options_agent(
        *("greg", "sandbox", "open", "--set", "loop.dry_run=false", *MAINNET),
        cwd=tmp_path,
        environ={"DERIBIT_CLIENT_ID": "nobody", "DERIBIT_CLIENT_SECRET": "none"},
    )

    assert ended.returncode == 1
    assert "the sandbox is refused" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_refused_execution_is_one_line_of_the_log(desk: Path) -> None:
    """Advice only: exit code 4, the gate by name; suggestions are logged once, however often."""
    for _ in range(2):
        ended = options_agent("greg", "execute", "sandbox_nobody", "CLOSE", "--json", cwd=desk)
        assert ended.returncode == 4
    log = told(options_agent("greg", "log", "--json", cwd=desk))
    refused = [each for each in log["decisions"] if each["extra_info"].get("refused")]

    assert (told(ended)["ok"], told(ended)["gate"]) == (False, "mode")
    assert len(refused) == 2
    assert len(log["decisions"]) == 14 + 2
    assert log["stats"]["total_executed"] == 0
    assert payloads(desk / BOOK, "Sent") == []


@pytest.mark.parametrize(
    ("name", "gate", "coin"),
    [("nobody", "underlying", "N/A"), ("greg-STRATEGY_A_STRADDLE-BTC-1", "suggestion", "BTC")],
)
def test_a_position_that_nobody_knows_is_refused(
    desk: Path, name: str, gate: str, coin: str
) -> None:
    """By the first gate that its name does not pass, in words that can be read, and logged."""
    paper = ("--set", "greg.greg_trading_mode=paper")
    ended = options_agent("greg", "execute", name, "CLOSE", "--json", *paper, cwd=desk)
    (line,) = told(options_agent("greg", "log", "--position", name, "--json", cwd=desk))["logs"]
    (whole,) = [
        each
        for each in told(options_agent("greg", "log", "--json", cwd=desk))["decisions"]
        if each["position_id"] == name
    ]

    assert ended.returncode == 4
    assert (told(ended)["gate"], whole["underlying"]) == (gate, coin)
    assert line["reason"] == told(ended)["error"]


def test_an_invented_market_is_never_carried_out(desk: Path) -> None:
    """Paper on testnet opens the first gates; the synthetic sensors close the way."""
    paper = ("--set", "greg.greg_trading_mode=paper")
    shown = told(options_agent("greg", "positions", "--json", cwd=desk))["positions"]
    first = next(each for each in shown if each["suggested_action"] != "HOLD")
    ended = options_agent(
        "greg",
        "execute",
        first["position_id"],
        first["suggested_action"],
        "--json",
        *paper,
        cwd=desk,
    )

    assert (ended.returncode, told(ended)["gate"]) == (4, "synthetic")


@pytest.mark.parametrize("given", [(), ("--confirm", "live")])
def test_live_asks_for_the_word(desk: Path, given: tuple[str, ...]) -> None:
    """Without LIVE, letter for letter, nothing is even looked at."""
    live = (*MAINNET, "--set", "greg.greg_trading_mode=live")
    ended = options_agent("greg", "execute", "x", "CLOSE", *given, *live, cwd=desk)

    assert ended.returncode in (2, 4)
    assert "LIVE" in ended.stderr
    assert payloads(desk / BOOK, "GregNoted") == []


def test_a_dismissal_is_a_line_of_its_own(desk: Path) -> None:
    """Behind its suggestion, as IGNORE, and the suggestion stays unexecuted."""
    held = told(options_agent("greg", "positions", "--json", cwd=desk))["positions"][0]
    name = held["position_id"]
    ended = options_agent("greg", "dismiss", name, "--json", cwd=desk)
    course = told(options_agent("greg", "log", "--position", name, "--json", cwd=desk))
    stats = told(options_agent("greg", "log", "--json", cwd=desk))["stats"]
    lines = [(each["action_type"], each["suggested"], each["executed"]) for each in course["logs"]]

    assert told(ended)["dismissed"] == held["suggested_action"]
    assert lines == [(held["suggested_action"], True, False), ("IGNORE", True, False)]
    assert (course["position_id"], course["count"]) == (name, 2)
    assert {"chop", "skew", "vrp_30d", "adx_14d", "order_ids", "mode"} <= set(course["logs"][0])
    assert stats["by_action"]["IGNORE"]["suggestions"] == 1
    assert options_agent("greg", "dismiss", "nobody", cwd=desk).returncode == 1


def test_positions_of_one_coin(desk: Path) -> None:
    """Filtered, with the fields of the management screen beside those of the list."""
    shown = told(options_agent("greg", "positions", "--underlying", "ETH", "--json", cwd=desk))

    assert shown["count"] == len(shown["suggestions"]) == 7
    assert {each["underlying"] for each in shown["positions"]} == {"ETH"}
    assert shown["rules_version"] == "1.1"
    assert shown["updated_at"] is not None


def test_an_unreachable_database_loses_and_stops_nothing(desk: Path) -> None:
    """The journal answers meanwhile, and the log has every line once the database is back."""
    ended = options_agent("greg", "execute", "x", "CLOSE", cwd=desk, environ=AWAY)
    assert ended.returncode == 4
    assert "the journal has everything" in ended.stderr
    away = options_agent("greg", "log", "--json", cwd=desk, environ=AWAY)
    back = options_agent("greg", "log", "--json", cwd=desk)

    assert away.returncode == 0
    assert "the decision log is away" in told(away)["warning"]
    assert told(back)["warning"] == ""
    plain = [
        [
            (each["position_id"], each["action_type"], each["reason"])
            for each in told(one)["decisions"]
        ]
        for one in (away, back)
    ]
    assert plain[0] == plain[1]
    assert len(plain[0]) == 15


def test_the_report(desk: Path) -> None:
    """Its sections in their order, and a CSV of every decision."""
    options_agent("greg", "execute", "x", "CLOSE", cwd=desk)
    text = options_agent("greg", "whatif", cwd=desk).stdout
    options_agent("greg", "whatif", "--format", "csv", "--output", "report.csv", cwd=desk)
    with (desk / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sections = (
        *("GREG DECISION REPORT", "SUMMARY", "BY STRATEGY", "BY ACTION", "FOLLOW VERSUS IGNORE"),
        *("HAD WE FOLLOWED", "LAST 20 DECISIONS"),
    )
    places = [text.index(section) for section in sections]

    assert places == sorted(places)
    assert "suggestions 14, executed 0, follow rate 0.0 %" in text
    assert len(rows) == 15
    assert {row["executed"] for row in rows} == {"False"}


def test_nothing_logged_is_a_report_too(tmp_path: Path) -> None:
    """Zero of zero is zero percent."""
    ended = options_agent("greg", "whatif", cwd=tmp_path)

    assert ended.returncode == 0
    assert "follow rate 0.0 %" in ended.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("log", "--from", "soon"),
        ("log", "--from", "2026-02-02", "--to", "2026-02-01"),
        ("whatif", "--format", "pdf"),
        ("whatif", "--underlying", "DOGE"),
        ("smoke", "--underlying", "DOGE"),
        ("smoke", "--env-only", "--strategies-only"),
        ("smoke", "--spot", "inf"),
        ("sandbox", "open", "--underlyings", ","),
        ("sandbox", "open", "--vol", "60", "--chain", "venue"),
        ("sandbox", "open", "--chain", "testnet"),
    ],
)
def test_misuse_of_the_desk(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    """Is said in a sentence, with exit code 2."""
    ended = options_agent("greg", *wrong, cwd=tmp_path)

    assert ended.returncode == 2
    assert ended.stderr


@pytest.mark.parametrize(
    ("chosen", "banner"),
    [
        ((), "greg ADVICE ONLY"),
        (("--set", "greg.greg_trading_mode=paper"), "greg PAPER"),
        ((*MAINNET, "--set", "greg.greg_trading_mode=live"), "greg LIVE BUT DISARMED"),
        (
            (
                *(*MAINNET, "--set", "greg.greg_trading_mode=live"),
                *("--set", "greg.greg_enable_live_execution=true"),
            ),
            "greg LIVE EXECUTION",
        ),
    ],
)
def test_the_first_line_names_how_far_things_may_go(
    tmp_path: Path, chosen: tuple[str, ...], banner: str
) -> None:
    """Live is only called live with the master switch on."""
    ended = options_agent("greg", "mode", *chosen, cwd=tmp_path)

    assert ended.stdout.splitlines()[0].endswith(banner)


@pytest.mark.parametrize("underlying", ["BTC", "ETH"])
@pytest.mark.parametrize("market", ["flat", "venue"])
def test_smoke(tmp_path: Path, underlying: str, market: str) -> None:
    """6 of 6, 9 of 9, 7 of 7: on one volatility, and on the chain of the paper venue."""
    ended = options_agent(
        "greg", "smoke", "--underlying", underlying, "--market", market, cwd=tmp_path
    )

    assert ended.returncode == 0
    assert "core 6/6, extended 9/9" in ended.stdout
    assert "7/7 opened" in ended.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("smoke_greg_strategies.py", ["--env-only", "--dry-run"], "extended 9/9"),
        ("open_greg_sandbox_positions.py", ["--list"], "SANDBOX"),
        ("greg_decision_report.py", [], "GREG DECISION REPORT"),
    ],
)
def test_scripts(tmp_path: Path, name: str, arguments: list[str], says: str) -> None:
    """Each is a name for a command."""
    command = [sys.executable, str(SCRIPTS / name), *arguments]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert says in ended.stdout


def test_smoke_on_the_paper_exchange(tmp_path: Path) -> None:
    """The chain comes over the wire, and every strategy opens on it."""
    ended = options_agent(
        *("greg", "smoke", "--market", "venue", "--strategies-only"),
        *("--venue", "exchange", *address(free_port())),
        cwd=tmp_path,
    )

    assert ended.returncode == 0
    assert "7/7 opened" in ended.stdout


def test_shipped_documents_are_those_of_the_engines() -> None:
    """Both are there, and name their module."""
    for path, module in ((ENTRY, "ENTRY_ENGINE"), (POSITION, "POSITION_ENGINE")):
        assert json.loads(path.read_text(encoding="utf-8"))["meta"]["module"] == module
