"""The text of a new settings file: every key with its default, described."""

from collections.abc import Mapping
from datetime import date

import tomlkit
from pydantic import SecretStr
from tomlkit.items import Table

from apps.settings.keys import KEYS, SECTIONS, Key
from apps.settings.root import Settings
from apps.settings.rules import value_at
from apps.settings.words import allowed

_HEADER = (
    "Settings of options-agent. A flag --set KEY=VALUE wins over the environment,",
    "the environment over .env, .env over files, files over defaults.",
    "options-agent config explain KEY says more about a key; config check finds every fault.",
)


def document(settings: Settings) -> str:
    """Return *settings* as a TOML file with a comment on each key; secrets are left out."""
    made = tomlkit.document()
    for line in _HEADER:
        made.add(tomlkit.comment(line))
    for section in SECTIONS:
        made.add(tomlkit.nl())
        made.add(section, _table(section, settings))
    return tomlkit.dumps(made)


def _table(section: str, settings: Settings) -> Table:
    keys = [key for key in KEYS if key.section == section]
    made = tomlkit.table()
    made.comment((keys[0].model.__doc__ or "").strip())
    for key in keys:
        _add(made, key, value_at(settings, key.path))
    return made


def _add(made: Table, key: Key, value: object) -> None:
    made.add(tomlkit.nl())
    made.add(tomlkit.comment(f"{key.description} ({allowed(key)})"))
    if isinstance(value, SecretStr):
        made.add(tomlkit.comment(f"set {key.variable} in the environment or in .env"))
    elif value is None:
        made.add(tomlkit.comment(f'{key.name} = ""'))
    else:
        made.add(key.name, _item(value))


def _item(value: object) -> object:
    """*value* in types that TOML has; a map stays on one line."""
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | float | date) else str(value)
