"""Names of settings: dotted path, environment variable, and what is meant by a misspelt one."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_args, get_origin

from attrs import frozen
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from apps.settings.kinds import Section
from apps.settings.root import Settings


@frozen
class Key:
    """One setting by name; *info* is the field that defines it in *model*."""

    section: str
    name: str
    model: type[Section]
    info: FieldInfo

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return self.name.upper()

    @property
    def description(self) -> str:
        return self.info.description or ""

    @property
    def default(self) -> object:
        default: object = self.info.get_default(call_default_factory=True, validated_data={})
        return default

    @property
    def is_secret(self) -> bool:
        return self.info.annotation is SecretStr

    @property
    def is_optional(self) -> bool:
        """Whether nothing at all is a value of it."""
        return type(None) in get_args(self.info.annotation)

    @property
    def is_structured(self) -> bool:
        """Whether it is a list or a map, which text gives as JSON."""
        return get_origin(self.info.annotation) in (tuple, Mapping)


def _keys_of(section: str, model: object) -> tuple[Key, ...]:
    if not (isinstance(model, type) and issubclass(model, Section)):
        raise TypeError(f"section {section} is not a Section")
    return tuple(Key(section, name, model, info) for name, info in model.model_fields.items())


SECTIONS: tuple[str, ...] = tuple(Settings.model_fields)
KEYS: tuple[Key, ...] = tuple(
    key
    for section, info in Settings.model_fields.items()
    for key in _keys_of(section, info.annotation)
)
BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
BY_PATH: Mapping[str, Key] = {key.path: key for key in KEYS}


def find(text: str) -> Key | None:
    """Return the key that *text* names, by dotted path or by name alone."""
    return BY_PATH.get(text) or BY_NAME.get(text)


def nearest(text: str, most: int = 3) -> tuple[str, ...]:
    """Return dotted paths of up to *most* keys spelt most like *text*, nearest first."""
    name = text.rpartition(".")[2].lower()
    if name in BY_NAME:
        return (BY_NAME[name].path,)
    close = get_close_matches(name, BY_NAME, n=most, cutoff=0.6)
    return tuple(BY_NAME[match].path for match in close)
