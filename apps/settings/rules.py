"""Rules between settings: what no field can check alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import frozen

from apps.settings.faults import Fault, shown
from apps.settings.venue import BASE_URLS

if TYPE_CHECKING:
    from apps.settings.root import Settings

LOOPBACK_HOSTS = ("127.0.0.1", "localhost")
_DATABASES = ("sqlite:///", "postgresql://", "postgres://")


@frozen
class Rule:
    """A check over the fields at *inputs*; it means nothing while one of them is unreadable."""

    inputs: tuple[str, ...]
    fault: Callable[[Settings], Fault | None]


def broken(settings: Settings, unreadable: frozenset[str] = frozenset()) -> tuple[Fault, ...]:
    """Return a fault for each rule that *settings* break; skip rules over *unreadable* paths."""
    usable = [rule for rule in RULES if unreadable.isdisjoint(rule.inputs)]
    faults = [rule.fault(settings) for rule in usable]
    return tuple(fault for fault in faults if fault is not None)


def value_at(settings: Settings, path: str) -> object:
    """Return the value at a dotted *path* such as risk.max_open_chains."""
    section, name = path.split(".")
    value: object = getattr(getattr(settings, section), name)
    return value


def _ordered(low: str, high: str) -> Rule:
    def fault(settings: Settings) -> Fault | None:
        least, most = value_at(settings, low), value_at(settings, high)
        if not isinstance(least, float) or not isinstance(most, float) or least <= most:
            return None
        allowed = f"x <= {high}, which is {shown(most)}"
        return Fault(low, shown(least), allowed, f"lower it or raise {high}")

    return Rule((low, high), fault)


def _base_url(settings: Settings) -> Fault | None:
    venue = settings.venue
    given, official = venue.deribit_base_url, BASE_URLS[venue.deribit_env]
    if given is None or (settings.is_testnet and _is_loopback(given)):
        return None
    if given.rstrip("/") == official and not venue.is_exchange:
        return None
    found = "an address with a password" if "@" in given else shown(given)
    if venue.is_exchange:
        allowed = "http://127.0.0.1:PORT while venue.venue_kind is exchange"
        fix = "leave it out, or change venue.venue_kind"
        return Fault("venue.deribit_base_url", found, allowed, fix)
    loopback = " or http://127.0.0.1:PORT" if settings.is_testnet else ""
    return Fault(
        "venue.deribit_base_url",
        found,
        f"{official}{loopback} while venue.deribit_env is {venue.deribit_env}",
        "leave it out, or change venue.deribit_env",
    )


def _exchange_is_testnet(settings: Settings) -> Fault | None:
    if not settings.venue.is_exchange or settings.is_testnet:
        return None
    return Fault(
        "venue.deribit_env",
        "mainnet",
        "testnet while venue.venue_kind is exchange",
        "the paper exchange is no mainnet: leave it out, or change venue.venue_kind",
    )


def _deribit_has_its_own_market(settings: Settings) -> Fault | None:
    if not settings.venue.is_deribit or settings.venue.market != "replay":
        return None
    return Fault(
        "venue.market",
        "replay",
        "synthetic, which is not looked at, while venue.venue_kind is deribit",
        "leave it out, or set venue.venue_kind to paper or exchange",
    )


def _deribit_has_its_own_time(settings: Settings) -> Fault | None:
    if not settings.venue.is_deribit or settings.venue.venue_clock != "stepped":
        return None
    return Fault(
        "venue.venue_clock",
        "stepped",
        "real while venue.venue_kind is deribit",
        "leave it out, or set venue.venue_kind to paper or exchange",
    )


def _stepped_has_a_period(settings: Settings) -> Fault | None:
    venue = settings.venue
    if venue.venue_clock != "stepped" or venue.market == "replay":
        return None
    for name, day in (("replay_from", venue.replay_from), ("replay_to", venue.replay_to)):
        if day is None:
            return Fault(
                f"venue.{name}",
                "nothing",
                "a day while venue.venue_clock is stepped",
                "name the first and the last day, or set venue.venue_clock to real",
            )
    return None


def _is_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "http"
            and parts.hostname in LOOPBACK_HOSTS
            and parts.port is not None
            and "@" not in parts.netloc
            and parts.path in ("", "/")
            and not parts.query
            and not parts.fragment
        )
    except ValueError:  # a port that is no number, or an unclosed bracket
        return False


def _training_is_research(settings: Settings) -> Fault | None:
    if settings.is_research or not settings.policy.training_mode:
        return None
    return Fault(
        "policy.training_mode",
        "true",
        "false while venue.mode is production",
        "production never trains: turn it off, or set venue.mode to research",
    )


def _training_is_on_testnet(settings: Settings) -> Fault | None:
    if settings.is_testnet or not settings.policy.training_mode:
        return None
    return Fault(
        "policy.training_mode",
        "true",
        "false while venue.deribit_env is mainnet",
        "training relaxes limits: turn it off, or set venue.deribit_env to testnet",
    )


def _live_is_production(settings: Settings) -> Fault | None:
    if settings.is_testnet or settings.loop.dry_run or not settings.is_research:
        return None
    return Fault(
        "loop.dry_run",
        "false",
        "true while venue.deribit_env is mainnet and venue.mode is research",
        "turn it on, or set venue.mode to production",
    )


def _live_has_credentials(settings: Settings) -> Fault | None:
    if settings.is_testnet or settings.loop.dry_run or settings.venue.has_credentials:
        return None
    return Fault(
        "venue.deribit_client_secret",
        "hidden, the API key is not complete",
        "a name and a secret while venue.deribit_env is mainnet and loop.dry_run is false",
        "set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET",
    )


def _key_is_complete(settings: Settings) -> Fault | None:
    name = settings.venue.deribit_client_id
    secret = settings.venue.deribit_client_secret.get_secret_value()
    if bool(name) == bool(secret):
        return None
    missing, other = ("id", "secret") if secret else ("secret", "id")
    return Fault(
        f"venue.deribit_client_{missing}",
        "nothing",
        f"a value while venue.deribit_client_{other} is set",
        f"set DERIBIT_CLIENT_{missing.upper()}, or unset the other",
    )


def _settlement(settings: Settings) -> Fault | None:
    venue = settings.venue
    given = venue.option_settlement_ccy
    allowed = ("USDC",) if venue.option_margin_type == "linear" else venue.underlyings
    if given is None or given in allowed:
        return None
    return Fault(
        "venue.option_settlement_ccy",
        given,
        f"{' or '.join(allowed)} while venue.option_margin_type is {venue.option_margin_type}",
        "leave it out, or change venue.option_margin_type",
    )


def _replay_has_data(settings: Settings) -> Fault | None:
    if settings.venue.market != "replay" or settings.venue.replay_data is not None:
        return None
    return Fault(
        "venue.replay_data",
        "nothing",
        "a folder of recorded days while venue.market is replay",
        "name the folder, or set venue.market to synthetic",
    )


def _replay_is_forward(settings: Settings) -> Fault | None:
    first, last = settings.venue.replay_from, settings.venue.replay_to
    if first is None or last is None or first <= last:
        return None
    allowed = f"a day no later than venue.replay_to, which is {last}"
    return Fault("venue.replay_from", str(first), allowed, "exchange the two days")


def _sizes_are_of_traded_coins(settings: Settings) -> Fault | None:
    policy, traded = settings.policy, settings.venue.underlyings
    # The default names a coin that a person who trades the other one never wrote.
    if "order_size_by_underlying" not in policy.model_fields_set:
        return None
    strangers = sorted(set(policy.order_size_by_underlying) - set(traded))
    if not strangers:
        return None
    return Fault(
        "policy.order_size_by_underlying",
        f"a size for {', '.join(strangers)}",
        f"sizes for {', '.join(traded)}, the coins of venue.underlyings",
        f"remove {', '.join(strangers)}, or add to venue.underlyings",
    )


def _database_is_known(settings: Settings) -> Fault | None:
    url = settings.database.database_url.get_secret_value()
    if not url or (url.startswith(_DATABASES) and not url.endswith("//")):
        return None
    return Fault(
        "database.database_url",
        "hidden, the beginning of no URL that is known",
        "sqlite:///PATH, postgresql://HOST/NAME, or nothing",
        "leave it out to keep runs in the data folder",
    )


def _decider_is_on(settings: Settings) -> Fault | None:
    if settings.llm.decision_mode == "rule_only" or settings.llm.llm_enabled:
        return None
    return Fault(
        "llm.llm_enabled",
        "false",
        f"true while llm.decision_mode is {settings.llm.decision_mode}",
        "turn it on, or set llm.decision_mode to rule_only",
    )


def _greg_environment(settings: Settings) -> Fault | None:
    mode = settings.greg.greg_trading_mode
    needed = {"paper": "testnet", "live": "mainnet"}.get(mode)
    if needed is None or settings.venue.deribit_env == needed:
        return None
    return Fault(
        "greg.greg_trading_mode",
        mode,
        f"advice_only while venue.deribit_env is {settings.venue.deribit_env}",
        f"{mode} needs {needed}",
    )


_GREG_CAP = "greg.greg_live_max_notional_usd_per_"

RULES = (
    _ordered("backtest.call_dte_min", "backtest.call_dte_max"),
    _ordered("backtest.call_delta_min", "backtest.call_delta_max"),
    _ordered("candidates.delta_min", "candidates.delta_max"),
    _ordered("candidates.research_delta_min", "candidates.research_delta_max"),
    _ordered("candidates.dte_min", "candidates.dte_max"),
    _ordered("candidates.research_dte_min", "candidates.research_dte_max"),
    _ordered("synthetic.synthetic_skew_min_dte", "synthetic.synthetic_skew_max_dte"),
    _ordered("risk.clock_skew_warn_sec", "risk.clock_skew_block_sec"),
    _ordered(f"{_GREG_CAP}position", f"{_GREG_CAP}underlying"),
    Rule(("venue.deribit_base_url", "venue.deribit_env", "venue.venue_kind"), _base_url),
    Rule(("venue.venue_kind", "venue.deribit_env"), _exchange_is_testnet),
    Rule(("venue.venue_kind", "venue.market"), _deribit_has_its_own_market),
    Rule(("venue.venue_kind", "venue.venue_clock"), _deribit_has_its_own_time),
    Rule(
        ("venue.venue_clock", "venue.market", "venue.replay_from", "venue.replay_to"),
        _stepped_has_a_period,
    ),
    Rule(("policy.training_mode", "venue.mode"), _training_is_research),
    Rule(("policy.training_mode", "venue.deribit_env"), _training_is_on_testnet),
    Rule(("loop.dry_run", "venue.mode", "venue.deribit_env"), _live_is_production),
    Rule(
        (
            "loop.dry_run",
            "venue.deribit_env",
            "venue.deribit_client_id",
            "venue.deribit_client_secret",
        ),
        _live_has_credentials,
    ),
    Rule(("venue.deribit_client_id", "venue.deribit_client_secret"), _key_is_complete),
    Rule(
        ("venue.option_settlement_ccy", "venue.option_margin_type", "venue.underlyings"),
        _settlement,
    ),
    Rule(("venue.market", "venue.replay_data"), _replay_has_data),
    Rule(("venue.replay_from", "venue.replay_to"), _replay_is_forward),
    Rule(
        ("policy.order_size_by_underlying", "venue.underlyings"),
        _sizes_are_of_traded_coins,
    ),
    Rule(("llm.decision_mode", "llm.llm_enabled"), _decider_is_on),
    Rule(("database.database_url",), _database_is_known),
    Rule(("greg.greg_trading_mode", "venue.deribit_env"), _greg_environment),
)
