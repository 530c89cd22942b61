"""Faults of settings: all at once, each with path, found, allowed and fix."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from apps.settings.faults import Fault, SettingsError
from apps.settings.keys import BY_PATH
from apps.settings.load import load
from apps.settings.root import Settings
from apps.settings.services import LlmSettings


def faults(
    *files: Path,
    flags: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    dotenv: Path | None = None,
) -> tuple[Fault, ...]:
    try:
        load(files, flags or {}, environ or {}, dotenv)
    except SettingsError as error:
        return error.faults
    return ()


def only(found: tuple[Fault, ...]) -> Fault:
    assert len(found) == 1, found
    return found[0]


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_five_faults_of_five_kinds_are_reported_together(tmp_path: Path) -> None:
    """Unknown key, bound, type, choice and contradiction all come out of one reading."""
    file = written(
        tmp_path / "a.toml",
        "[risk]\n"
        "max_margn_used_pct = 70\n"
        "max_margin_used_pct = 180\n"
        'order_burst = "many"\n'
        "[candidates]\n"
        "delta_min = 0.5\n",
    )

    found = faults(file, environ={"DERIBIT_ENV": "moon"})

    assert [(fault.path, fault.found, fault.allowed) for fault in found] == [
        ("risk.max_margn_used_pct", f"an unknown key in file {file}", "a known key"),
        ("venue.deribit_env", "moon", "testnet or mainnet"),
        ("risk.max_margin_used_pct", "180", "0 < x <= 100"),
        ("risk.order_burst", "many", "a whole number, 1 <= x"),
        ("candidates.delta_min", "0.5", "x <= candidates.delta_max, which is 0.3"),
    ]
    assert [fault.fix for fault in found] == [
        "did you mean risk.max_margin_used_pct?",
        "correct the environment DERIBIT_ENV",
        f"correct the file {file}",
        f"correct the file {file}",
        "lower it or raise candidates.delta_max",
    ]


def test_a_fault_is_a_sentence() -> None:
    """Path, found, allowed and fix, in this order, on one line."""
    fault = Fault("risk.max_margin_used_pct", "180", "0 < x <= 100")

    assert str(fault) == "risk.max_margin_used_pct: found 180, allowed 0 < x <= 100"


@pytest.mark.parametrize(
    ("flags", "path"),
    [
        ({"delta_min": "0.31"}, "candidates.delta_min"),
        ({"research_delta_min": "0.41"}, "candidates.research_delta_min"),
        ({"dte_max": "4.9"}, "candidates.dte_min"),
        ({"research_dte_max": "0.5"}, "candidates.research_dte_min"),
        ({"synthetic_skew_min_dte": "15"}, "synthetic.synthetic_skew_min_dte"),
        ({"clock_skew_block_sec": "1"}, "risk.clock_skew_warn_sec"),
        (
            {"greg_live_max_notional_usd_per_underlying": "499"},
            "greg.greg_live_max_notional_usd_per_position",
        ),
        ({"mode": "production", "training_mode": "true"}, "policy.training_mode"),
        ({"deribit_env": "mainnet", "training_mode": "true"}, "policy.training_mode"),
        ({"deribit_client_id": "me"}, "venue.deribit_client_secret"),
        (
            {"option_margin_type": "linear", "option_settlement_ccy": "BTC"},
            "venue.option_settlement_ccy",
        ),
        ({"option_settlement_ccy": "USDC"}, "venue.option_settlement_ccy"),
        ({"market": "replay"}, "venue.replay_data"),
        ({"replay_from": "2026-02-02", "replay_to": "2026-02-01"}, "venue.replay_from"),
        (
            {"underlyings": '["BTC"]', "order_size_by_underlying": '{"ETH": 1}'},
            "policy.order_size_by_underlying",
        ),
        ({"decision_mode": "llm_only"}, "llm.llm_enabled"),
        ({"decision_mode": "hybrid_shadow"}, "llm.llm_enabled"),
        ({"greg_trading_mode": "live"}, "greg.greg_trading_mode"),
        ({"greg_trading_mode": "paper", "deribit_env": "mainnet"}, "greg.greg_trading_mode"),
    ],
)
def test_a_contradiction_is_one_fault_at_the_field_to_change(
    flags: dict[str, str], path: str
) -> None:
    """Settings that cannot hold together are refused, with the field to change."""
    fault = only(faults(flags=flags))

    assert fault.path == path
    assert fault.fix


@pytest.mark.parametrize(
    "flags",
    [
        {"delta_min": "0.3"},
        {"dte_min": "10"},
        {"market": "replay", "replay_data": "days"},
        {"replay_from": "2026-02-01", "replay_to": "2026-02-01"},
        {"decision_mode": "llm_only", "llm_enabled": "true"},
        {"underlyings": '["ETH"]', "order_size_by_underlying": '{"ETH": 1}'},
        {"deribit_env": "mainnet", "mode": "research"},
        {"explore_prob": "0"},
        {"explore_prob": "1"},
        {"greg_live_max_notional_usd_per_position": "2000"},
    ],
)
def test_the_edge_of_a_rule_is_allowed(flags: dict[str, str]) -> None:
    """Equal bounds, and the other side of each contradiction, are no faults."""
    assert faults(flags=flags) == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("explore_prob", "1.01"),
        ("explore_prob", "-0.01"),
        ("daily_drawdown_limit_pct", "100.1"),
        ("liquidity_max_spread_pct", "-1"),
        ("default_order_size", "0"),
        ("max_net_delta_abs", "inf"),
        ("max_net_delta_abs", "nan"),
        ("loop_interval_sec", "0"),
        ("loop_interval_sec", "1.5"),
        ("underlyings", "[]"),
        ("underlyings", '["BTC", "BTC"]'),
        ("underlyings", '["DOGE"]'),
        ("underlyings", "BTC,ETH"),
        ("underlyings", '{"BTC": 1}'),
        ("paper_balances", '{"BTC": -1}'),
        ("paper_balances", '{"BTC": NaN}'),
        ("order_size_by_underlying", '{"SOL": 1}'),
        ("order_size_by_underlying", "[" * 100_000),
        ("greg_strategy_live_enabled", '{"STRATEGY_E_JADE_LIZARD": true}'),
        ("training_strategies", '["reckless"]'),
        ("strategies", "[]"),
        ("replay_from", "27 March"),
        ("dry_run", "perhaps"),
        ("mode", "Research"),
        ("llm_model_name", ""),
    ],
)
def test_a_value_out_of_bounds_names_its_key_and_what_is_allowed(key: str, value: str) -> None:
    """A bound, choice or kind that is missed is one fault, in words."""
    fault = only(faults(flags={key: value}))

    assert BY_PATH[fault.path].name == key
    assert fault.allowed
    assert len(fault.found) < 100


@pytest.mark.parametrize(
    "line",
    [
        'max_margin_used_pct = "70"',
        "max_margin_used_pct = true",
        "max_margin_used_pct = [70]",
        "max_margin_used_pct = nan",
        "max_open_chains = 2.5",
        "dry_run = 0",
        'dry_run = "false"',
        "mode = 1",
        'underlyings = "BTC"',
        "replay_from = 20260327",
    ],
)
def test_a_file_must_use_the_type_of_the_key(tmp_path: Path, line: str) -> None:
    """TOML has types: a number in quotes is not a number, nor 0 a flag."""
    fault = only(faults(written(tmp_path / "a.toml", line)))

    assert fault.path.endswith(line.split(" ", maxsplit=1)[0])


@pytest.mark.parametrize("env", ["testnet", "mainnet"])
@pytest.mark.parametrize(
    "url",
    [
        "https://deribit.com.example.org",
        "http://test.deribit.com",
        "http://127.0.0.1:80@example.org",
        "http://user:correct-horse@127.0.0.1:8080",
        "http://127.0.0.1.example.org:8080",
        "http://127.0.0.1:port",
        "http://[::1",
        "ftp://localhost:21",
        "localhost:8080",
    ],
)
def test_an_address_that_is_not_the_venue_is_refused(env: str, url: str) -> None:
    """Look-alikes of the venue and of loopback are faults, and passwords in them are not shown."""
    fault = only(faults(flags={"deribit_env": env, "deribit_base_url": url}))

    assert fault.path == "venue.deribit_base_url"
    assert "correct-horse" not in str(fault)


@pytest.mark.parametrize(
    ("env", "url", "is_allowed"),
    [
        ("testnet", "https://test.deribit.com", True),
        ("testnet", "http://127.0.0.1:8080", True),
        ("testnet", "http://localhost:8080/", True),
        ("testnet", "https://www.deribit.com", False),
        ("mainnet", "https://www.deribit.com/", True),
        ("mainnet", "https://test.deribit.com", False),
        ("mainnet", "http://127.0.0.1:8080", False),
    ],
)
def test_the_address_must_belong_to_the_environment(env: str, url: str, is_allowed: bool) -> None:
    """Each environment has one address; testnet may be a paper exchange on loopback."""
    found = faults(flags={"deribit_env": env, "deribit_base_url": url})

    assert (found == ()) is is_allowed


def test_live_on_mainnet_needs_production_and_a_key() -> None:
    """Research without dry run on mainnet is refused, and so is a missing API key."""
    live = {"DERIBIT_ENV": "mainnet", "DRY_RUN": "false"}
    key = {"DERIBIT_CLIENT_ID": "me", "DERIBIT_CLIENT_SECRET": "correct-horse"}

    assert [fault.path for fault in faults(environ=live)] == [
        "loop.dry_run",
        "venue.deribit_client_secret",
    ]
    assert only(faults(environ=live | key)).path == "loop.dry_run"
    assert faults(environ=live | key | {"MODE": "production"}) == ()


def test_a_rule_over_an_unreadable_value_is_not_judged() -> None:
    """A window whose upper end cannot be read is one fault, not two."""
    assert only(faults(flags={"delta_min": "0.9", "delta_max": "high"})).path == (
        "candidates.delta_max"
    )


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("max_margn_used_pct = 1", "risk.max_margin_used_pct"),
        ("[risk]\nseed = 1", "venue.seed"),
        ("[rsik]\nmax_open_chains = 1", "risk.max_open_chains"),
        ("[loop]\ndryrun = true", "loop.dry_run"),
    ],
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, near: str) -> None:
    """A misspelt key, or a key in the wrong table, points to the one that was meant."""
    fault = only(faults(written(tmp_path / "a.toml", text)))

    assert fault.found.startswith("an unknown key")
    assert near in fault.fix


def test_an_unknown_flag_names_the_nearest() -> None:
    """The same holds for --set."""
    assert "loop.dry_run" in only(faults(flags={"loop.dry_rnu": "true"})).fix


def test_an_unknown_key_does_not_show_its_value(tmp_path: Path) -> None:
    """What stands beside a misspelt name may be a secret."""
    file = written(tmp_path / "a.toml", 'deribit_client_secrt = "correct-horse"')

    assert "correct-horse" not in str(only(faults(file)))


@pytest.mark.parametrize(
    "content",
    [b"[risk\n", b"seed = \n", b"seed = 1\nseed = 2\n", b"\xff\xfe", b"x = " + b"[" * 50_000],
)
def test_a_file_that_is_not_toml_is_a_fault(tmp_path: Path, content: bytes) -> None:
    """A broken file is named, and the other faults are still reported."""
    file = tmp_path / "a.toml"
    file.write_bytes(content)

    broken, other = faults(file, flags={"seed": "-1"})

    assert broken.path == f"file {file}"
    assert other.path == "venue.seed"


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """A file that was asked for must be there; a folder is no file."""
    assert only(faults(tmp_path / "none.toml")).found == "no such file"
    assert only(faults(tmp_path)).found == "no such file"


def test_a_section_must_be_a_table(tmp_path: Path) -> None:
    """A number under the name of a section is a fault."""
    assert only(faults(written(tmp_path / "a.toml", "risk = 5"))).allowed == "a table, [risk]"


def test_an_unknown_section_is_a_fault_even_when_empty(tmp_path: Path) -> None:
    """A misspelt table is not passed over because nothing is in it yet."""
    assert only(faults(written(tmp_path / "a.toml", "[risks]\n"))).path == "risks"


def test_two_values_for_one_key_in_one_source_are_a_fault(tmp_path: Path) -> None:
    """Bare and in its table, with different values: neither is taken."""
    file = written(tmp_path / "a.toml", "seed = 1\n[venue]\nseed = 2\n")

    assert only(faults(file)).path == "venue.seed"


def test_a_secret_on_the_command_line_is_refused_and_hidden() -> None:
    """Every process of the machine can read a command line."""
    flags = {"deribit_client_id": "me", "deribit_client_secret": "correct-horse"}

    fault = only(faults(flags=flags))

    assert fault.path == "venue.deribit_client_secret"
    assert "DERIBIT_CLIENT_SECRET" in fault.fix
    assert "correct-horse" not in str(fault)


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_a_file_with_a_secret_must_be_closed_to_others(
    tmp_path: Path, mode: int, count: int
) -> None:
    """A file of mode 0600 may hold a secret; one that others may read may not."""
    text = 'deribit_client_id = "me"\nderibit_client_secret = "correct-horse"\n'
    found = faults(written(tmp_path / "a.toml", text, mode))
    from_env = faults(dotenv=written(tmp_path / ".env", text.replace(" ", ""), mode))

    assert len(found) == len(from_env) == count
    assert "correct-horse" not in f"{found}{from_env}"


def test_a_secret_of_the_wrong_type_is_hidden(tmp_path: Path) -> None:
    """Even a fault in the secret itself does not show it."""
    fault = only(faults(written(tmp_path / "a.toml", "deribit_client_secret = 8123450")))

    assert fault.found == "hidden"
    assert "8123450" not in str(fault)


def test_control_characters_are_not_printed() -> None:
    """A fault cannot move the cursor of a terminal."""
    found = faults(flags={"mode": "\x1b[2J", "\x1b[2J": "1"})

    assert len(found) == 2
    assert all("\x1b" not in str(fault) for fault in found)


def test_contradictory_settings_cannot_be_built_at_all() -> None:
    """The rules hold for Settings made in code, too."""
    with pytest.raises(ValidationError, match=r"llm\.llm_enabled: found false"):
        Settings(llm=LlmSettings(decision_mode="llm_only"))
