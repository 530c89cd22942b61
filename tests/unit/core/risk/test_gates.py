"""The gates of real orders: each one alone keeps them in."""

from itertools import combinations
from typing import Any

import pytest
from attrs import evolve

from core.risk.gates import GateState, VenueAddress, VenueEnvironment, may_send_real_orders

TESTNET = VenueAddress(VenueEnvironment.TESTNET, "https://test.deribit.com")
MAINNET = VenueAddress(VenueEnvironment.MAINNET, "https://www.deribit.com")
OPEN = GateState(
    address=MAINNET,
    has_credentials=True,
    is_production=True,
    is_dry_run=False,
    strategy_id="covered_call_v1",
    enabled_strategies=("covered_call_v1",),
    interlock="mainnet",
)
CLOSING: dict[str, dict[str, Any]] = {
    "the address is not one of mainnet": {
        "address": VenueAddress(VenueEnvironment.MAINNET, TESTNET.url)
    },
    "there are no credentials": {"has_credentials": False},
    "mainnet trades in mode production only": {"is_production": False},
    "dry run is on": {"is_dry_run": True},
    "strategy covered_call_v1 is not enabled": {"enabled_strategies": ("greg",)},
    "the interlock does not say mainnet": {"interlock": ""},
}


def test_all_gates_open_is_the_only_yes() -> None:
    """Nothing is left to say."""
    assert may_send_real_orders(OPEN).are_open


@pytest.mark.parametrize("reason", CLOSING)
def test_each_gate_alone_keeps_orders_in(reason: str) -> None:
    """One closed gate is one reason, and no order."""
    gates = may_send_real_orders(evolve(OPEN, **CLOSING[reason]))

    assert (gates.are_open, gates.reasons) == (False, (reason,))


@pytest.mark.parametrize("number", range(2, len(CLOSING) + 1))
def test_every_reason_is_given(number: int) -> None:
    """However many gates are closed, none hides another, and they come in one order."""
    for reasons in combinations(CLOSING, number):
        closed = OPEN
        for reason in reasons:
            closed = evolve(closed, **CLOSING[reason])
        assert may_send_real_orders(closed).reasons == reasons


@pytest.mark.parametrize("interlock", ["", "testnet", "MAINNET", "true", "1", "mainnet "])
def test_the_interlock_must_name_the_environment(interlock: str) -> None:
    """A yes, another environment or another spelling is none."""
    assert not may_send_real_orders(evolve(OPEN, interlock=interlock)).are_open


def test_testnet_in_research_needs_no_interlock() -> None:
    """There is no real money; production wants it there too."""
    state = evolve(OPEN, address=TESTNET, is_production=False, interlock="")

    assert may_send_real_orders(state).are_open
    assert not may_send_real_orders(evolve(state, is_production=True)).are_open


@pytest.mark.parametrize(
    ("environment", "url", "agrees"),
    [
        ("testnet", "https://test.deribit.com", True),
        ("testnet", "https://test.deribit.com/", True),
        ("testnet", "http://127.0.0.1:8080", True),
        ("testnet", "http://localhost:8080", True),
        ("testnet", "https://www.deribit.com", False),
        ("mainnet", "https://www.deribit.com", True),
        ("mainnet", "https://test.deribit.com", False),
        ("mainnet", "http://127.0.0.1:8080", False),
        ("mainnet", "http://www.deribit.com", False),
        ("mainnet", "https://www.deribit.com.example.org", False),
        ("mainnet", "https://www.deribit.com@example.org", False),
        ("mainnet", "https://[www.deribit.com", False),
        ("mainnet", "", False),
    ],
)
def test_an_address_agrees_with_its_environment(environment: str, url: str, agrees: bool) -> None:
    """By scheme and host, whole: what only looks alike, or cannot be read, does not."""
    assert VenueAddress(VenueEnvironment(environment), url).agrees is agrees
