"""The worlds of a parity report: alone with their coin, at an address of their own."""

import pytest

from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.backtest_parity import WorldName, outside_settings

USUAL = "http://127.0.0.1:8088"  # where `exchange serve` listens


def settings(**venue: str) -> Settings:
    """Settings as a report is asked for."""
    flags = {"market": "synthetic", "venue_clock": "stepped"}
    period = {"replay_from": "2026-01-02", "replay_to": "2026-02-02"}
    return load((), flags | period | venue, {}, None).settings


@pytest.mark.parametrize("told", [{}, {"deribit_base_url": "https://test.deribit.com"}])
def test_an_exchange_that_was_not_told_is_of_our_own(told: dict[str, str]) -> None:
    """It is never the one that happens to be served at the usual address, nor Deribit."""
    found = outside_settings(settings(**told), "BTC", WorldName.EXCHANGE).venue

    assert found.is_exchange
    assert found.base_url.startswith("http://127.0.0.1:")
    assert found.base_url != USUAL


def test_an_exchange_that_was_told_is_used() -> None:
    """Whoever names it knows what is served there."""
    told = settings(deribit_base_url=USUAL)

    assert outside_settings(told, "BTC", WorldName.EXCHANGE).venue.base_url == USUAL


@pytest.mark.parametrize("world", [WorldName.PAPER, WorldName.EXCHANGE])
def test_a_world_has_one_coin(world: WorldName) -> None:
    """Instants at which another coin was recorded are no ticks of it."""
    found = outside_settings(settings(), "ETH", world).venue

    assert found.underlyings == ("ETH",)
    assert found.paper_balances == {"ETH": 10.0}
    assert found.venue_clock == "stepped"
