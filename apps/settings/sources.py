"""Where settings come from: TOML files, a .env file, the environment, flags."""

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen
from pydantic_settings import DotEnvSettingsSource, TomlConfigSettingsSource

from apps.settings.faults import Fault, shown
from apps.settings.keys import BY_NAME, SECTIONS, Key, find, nearest
from apps.settings.parse import Form, Given
from apps.settings.root import Settings


@frozen
class Layer:
    """All that one source gives, and what is wrong with it as a whole."""

    given: tuple[Given, ...] = ()
    faults: tuple[Fault, ...] = ()


def from_file(path: Path) -> Layer:
    """Return what the TOML file at *path* gives: keys in their sections, or at the top."""
    source = f"file {path}"
    try:
        content = TomlConfigSettingsSource(Settings, path).toml_data if path.is_file() else None
    except (ValueError, RecursionError) as error:
        return _unusable(source, str(error), "TOML", "correct the file")
    except OSError as error:
        return _unusable(source, error.strerror or str(error), "a readable file", "")
    if content is None:
        return _unusable(source, "no such file", "a TOML file", "config new writes one")
    return _layer(_flattened(content), Form.TYPED, source, path)


def from_dotenv(path: Path | None) -> Layer:
    """Return what the .env file at *path* gives; no file gives nothing, other names are ignored."""
    if path is None or not path.is_file():
        return Layer()
    source = f"file {path}"
    try:
        variables = DotEnvSettingsSource(Settings, env_file=path).env_vars
    except ValueError as error:
        return _unusable(source, str(error), "UTF-8", "correct the file")
    except OSError as error:
        return _unusable(source, error.strerror or str(error), "a readable file", "")
    pairs = [(name, value or "") for name, value in variables.items() if name in BY_NAME]
    return _layer(pairs, Form.TEXT, source, path)


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Return what the variables of *environ* give; names that are not ours are ignored."""
    given: dict[str, Given] = {}
    for variable in sorted(environ, reverse=True):  # MODE after mode, so that MODE wins
        key = BY_NAME.get(variable.lower())
        if key is not None:
            given[key.path] = Given(key, environ[variable], Form.TEXT, f"environment {variable}")
    return Layer(tuple(given.values()))


def from_flags(flags: Mapping[str, str]) -> Layer:
    """Return what --set flags give: key, by path or by name alone, to text."""
    layer = _layer(flags.items(), Form.TEXT, "flag", None)
    # The command line is open to every process of the machine.
    secrets = tuple(
        _exposed(item.key, "a flag", f"set {item.key.variable} in the environment")
        for item in layer.given
        if item.key.is_secret
    )
    return Layer(layer.given, layer.faults + secrets)


def _flattened(content: Mapping[str, object]) -> list[tuple[str, object]]:
    """The tables of a file as pairs of dotted key and value; a map that is a value stays whole."""
    pairs: list[tuple[str, object]] = []
    for name, value in content.items():
        if isinstance(value, dict) and name not in BY_NAME and (value or name in SECTIONS):
            pairs.extend((f"{name}.{inner}", item) for inner, item in value.items())
        else:
            pairs.append((name, value))
    return pairs


def _layer(
    pairs: Iterable[tuple[str, object]],
    form: Form,
    source: str,
    file: Path | None,
) -> Layer:
    given: dict[str, Given] = {}
    faults: list[Fault] = []
    for text, raw in pairs:
        key = find(text)
        if key is None:
            faults.append(_unknown(text, source))
        elif key.path in given:
            faults.append(Fault(key.path, f"two values in {source}", "one", "remove one of them"))
        else:
            given[key.path] = Given(key, raw, form, source)
    if file is not None:
        faults.extend(_secrets_open_to_others(given.values(), file))
    return Layer(tuple(given.values()), tuple(faults))


def _unknown(text: str, source: str) -> Fault:
    if text in SECTIONS:
        return Fault(text, f"no table in {source}", f"a table, [{text}]", "move its keys into it")
    close = nearest(text)
    fix = f"did you mean {' or '.join(close)}?" if close else "config show lists all keys"
    return Fault(shown(text), f"an unknown key in {source}", "a known key", fix)


def _secrets_open_to_others(given: Iterable[Given], file: Path) -> Iterator[Fault]:
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    for item in given:
        if item.key.is_secret and item.raw != "":
            yield _exposed(item.key, f"{item.source} of mode {mode:04o}", f"chmod 600 {file}")


def _exposed(key: Key, place: str, fix: str) -> Fault:
    return Fault(
        key.path, f"hidden, in {place}", "a secret in the environment or a file of mode 0600", fix
    )


def _unusable(source: str, found: str, allowed: str, fix: str) -> Layer:
    return Layer(faults=(Fault(source, found, allowed, fix),))
