"""Settings as a value: it does not change, and it does not tell its secret."""

import pytest
from pydantic import ValidationError

from apps.settings.load import load
from apps.settings.root import Settings


def test_settings_are_frozen() -> None:
    """No field of a section, and no section, can be replaced."""
    settings = Settings()

    with pytest.raises(ValidationError):
        settings.loop.dry_run = False  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.loop = settings.loop  # type: ignore[misc]


def test_the_secret_is_not_in_the_text_of_the_settings() -> None:
    """Printing settings shows no secret."""
    environ = {"DERIBIT_CLIENT_ID": "me", "DERIBIT_CLIENT_SECRET": "correct-horse"}

    loaded = load((), {}, environ, None)

    assert loaded.settings.venue.deribit_client_secret.get_secret_value() == "correct-horse"
    assert "correct-horse" not in repr(loaded)
    assert loaded.settings.venue.has_credentials
