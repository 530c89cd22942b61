"""Settings from all their sources: flag over environment over .env over files over default."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from apps.settings import rules, sources
from apps.settings.faults import Fault, SettingsError
from apps.settings.keys import KEYS, SECTIONS
from apps.settings.parse import Given, Parsed, parse
from apps.settings.root import Settings

DEFAULT = "default"


@frozen
class Loaded:
    """Settings, and by dotted path the source of each value."""

    settings: Settings
    sources: Mapping[str, str]


def load(
    files: Sequence[Path],
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    dotenv: Path | None,
) -> Loaded:
    """
    Return the settings that *files*, later over earlier, *dotenv*, *environ* and *flags* give.

    Raises:
        SettingsError: Something is wrong anywhere; it holds every fault, not the first.
    """
    layers = (
        *(sources.from_file(file) for file in files),
        sources.from_dotenv(dotenv),
        sources.from_environment(environ),
        sources.from_flags(flags),
    )
    answers = [parse(given) for given in _winners(layers).values()]
    parsed = {answer.key.path: answer for answer in answers if isinstance(answer, Parsed)}
    unreadable = [answer for answer in answers if isinstance(answer, Fault)]
    sections = _sections(parsed)

    candidate = Settings.model_construct(**sections)
    broken = rules.broken(candidate, frozenset(fault.path for fault in unreadable))
    faults = (*(fault for layer in layers for fault in layer.faults), *unreadable, *broken)
    if faults:
        raise SettingsError(faults)
    return Loaded(Settings(**sections), _sources(parsed))


def _winners(layers: Sequence[sources.Layer]) -> dict[str, Given]:
    """The last value given for each path, in the order of the fields."""
    last = {given.key.path: given for layer in layers for given in layer.given}
    return {key.path: last[key.path] for key in KEYS if key.path in last}


def _sections(parsed: Mapping[str, Parsed]) -> dict[str, Any]:
    values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for item in parsed.values():
        values[item.key.section][item.key.name] = item.value
    models = {key.section: key.model for key in KEYS}
    return {section: models[section](**values[section]) for section in SECTIONS}


def _sources(parsed: Mapping[str, Parsed]) -> dict[str, str]:
    given = {path: item.source for path, item in parsed.items()}
    return {key.path: given.get(key.path, DEFAULT) for key in KEYS}
