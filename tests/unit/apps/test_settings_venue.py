"""The kinds of venue: what contradicts them, and where they are."""

import pytest

from apps.settings.faults import SettingsError
from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.book import place_of


@pytest.mark.parametrize(
    ("flags", "path"),
    [
        ({"venue_kind": "exchange", "deribit_env": "mainnet"}, "venue.deribit_env"),
        (
            {"venue_kind": "exchange", "deribit_base_url": "https://test.deribit.com"},
            "venue.deribit_base_url",
        ),
        ({"venue_kind": "deribit", "market": "replay", "replay_data": "x"}, "venue.market"),
        ({"venue_kind": "deribit", "venue_clock": "stepped"}, "venue.venue_clock"),
        ({"venue_clock": "stepped"}, "venue.replay_from"),
        ({"venue_clock": "stepped", "replay_from": "2026-01-02"}, "venue.replay_to"),
    ],
)
def test_a_venue_that_contradicts_its_settings_is_refused(flags: dict[str, str], path: str) -> None:
    """Each contradiction is a fault at the setting to change."""
    with pytest.raises(SettingsError) as error:
        load((), flags, {}, None)

    assert path in {fault.path for fault in error.value.faults}


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({"venue_kind": "exchange"}, "http://127.0.0.1:8088"),
        (
            {"venue_kind": "exchange", "deribit_base_url": "http://localhost:9000/"},
            "http://localhost:9000",
        ),
        ({"venue_kind": "deribit"}, "https://test.deribit.com"),
        ({"venue_kind": "deribit", "deribit_env": "mainnet"}, "https://www.deribit.com"),
    ],
)
def test_each_kind_of_venue_has_an_address(flags: dict[str, str], url: str) -> None:
    """The paper exchange is on loopback, Deribit where its environment is."""
    assert load((), flags, {}, None).settings.venue.base_url == url


@pytest.mark.parametrize(
    ("flags", "environment", "is_stepped"),
    [
        ({}, "paper-synthetic-seed7", False),
        ({"venue_kind": "exchange", "seed": "8"}, "exchange-synthetic-seed8", False),
        ({"market": "replay", "replay_data": "x"}, "paper-replay", True),
        (
            {"venue_kind": "exchange", "market": "replay", "replay_data": "x"},
            "exchange-replay",
            True,
        ),
        (
            {"venue_clock": "stepped", "replay_from": "2026-01-02", "replay_to": "2026-01-03"},
            "paper-stepped",
            True,
        ),
        ({"venue_kind": "deribit"}, "dry-run-testnet", False),
        ({"venue_kind": "deribit", "deribit_env": "mainnet"}, "dry-run-mainnet", False),
    ],
)
def test_each_environment_has_a_book_of_its_own(
    flags: dict[str, str], environment: str, is_stepped: bool
) -> None:
    """Paper, exchange, dry run and real orders never share a folder; stepped runs have one each."""
    place = place_of(load((), flags, {}, None).settings)

    assert (place.environment, place.is_stepped) == (environment, is_stepped)
    assert environment in place.directory.parts


def test_real_orders_have_the_book_of_their_environment() -> None:
    """With every gate of the testnet open it is no dry run."""
    key = {"DERIBIT_CLIENT_ID": "me", "DERIBIT_CLIENT_SECRET": "correct-horse"}
    flags = {"venue_kind": "deribit", "dry_run": "false"}
    settings: Settings = load((), flags, key, None).settings

    assert place_of(settings).environment == "testnet"
