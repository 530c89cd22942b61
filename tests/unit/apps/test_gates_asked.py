"""Real orders and the kinds of venue: only Deribit itself can be sent any."""

import pytest

from apps.cli.console import mode_line
from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.gates import gates_of, sends_real_orders

KEY = {"DERIBIT_CLIENT_ID": "me", "DERIBIT_CLIENT_SECRET": "mine"}


def settings(venue_kind: str) -> Settings:
    """Settings with which every gate of testnet is open."""
    return load((), {"venue_kind": venue_kind, "dry_run": "false"}, KEY, None).settings


def test_orders_to_deribit_are_real() -> None:
    """With a key, and no dry run, nothing speaks against testnet."""
    assert sends_real_orders(settings("deribit"), {})
    assert [each.reasons for each in gates_of(settings("deribit"), {}).values()] == [()]


@pytest.mark.parametrize("venue_kind", ["paper", "exchange"])
def test_paper_is_a_reason_of_its_own(venue_kind: str) -> None:
    """However open the gates are: nobody is told that real orders may leave from there."""
    reasons = [each.reasons for each in gates_of(settings(venue_kind), {}).values()]

    assert not sends_real_orders(settings(venue_kind), {})
    assert reasons == [(f"orders go to venue.venue_kind {venue_kind}",)]


@pytest.mark.parametrize(
    ("venue_kind", "sending"), [("paper", "DRY-RUN"), ("exchange", "DRY-RUN"), ("deribit", "LIVE")]
)
def test_a_screen_is_live_only_where_real_orders_leave(venue_kind: str, sending: str) -> None:
    """The first line of every screen says so, whatever loop.dry_run is on paper."""
    assert mode_line(settings(venue_kind)) == f"TESTNET | research | {sending} | rule_only"
