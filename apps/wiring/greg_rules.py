"""The rules that Greg's engines go by: the shipped documents, and a person's overrides."""

from pathlib import Path

from attrs import evolve, frozen

from adapters.files.rule_documents import ENTRY, POSITION, read_rules
from adapters.files.rule_overrides import OverridesFile, read_overrides, write_overrides
from apps.settings.root import Settings
from apps.wiring.greg_terms import entry_terms, reviewed_thresholds
from core.greg.environment import EnvMode, RuleOverrides, rules_in
from core.greg.management import PositionRules, position_rules
from core.greg.thresholds import EntryRules, EntryThresholds, entry_rules
from ports.errors import StoreDamaged

OVERRIDES = "greg_overrides.json"  # in the data folder


@frozen(kw_only=True)
class GregRules:
    """The rules in force; *shipped* are those of the entry document without overrides."""

    mode: EnvMode
    entry: EntryRules
    shipped: EntryRules
    position: PositionRules
    overrides: RuleOverrides
    warning: str = ""


def greg_rules(settings: Settings, mode: EnvMode | None = None) -> GregRules:
    """
    The rules in *mode*, by default that of *settings*, with the variants in use.

    Overrides that cannot be read, or are of no limit, count as none, as do thresholds of coins
    that nobody reviewed; the warning says so. Neither counts in live.

    Raises:
        StoreDamaged: A shipped document is not as it was shipped.

        SettingsError: There is no variant of a name, or an event is no instant.
    """
    mode = mode or EnvMode(settings.venue.env_mode)
    shipped = entry_document(ENTRY)
    found = overrides_in(settings.venue.data_dir, mode)
    warnings, entry, by_coin = [found.warning], shipped, dict[str, EntryThresholds]()
    try:
        entry = rules_in(mode, shipped, found.overrides)
    except ValueError as error:
        warnings.append(f"overrides of entry rules count as none: {error}")
    try:
        if mode is not EnvMode.LIVE:
            by_coin = reviewed_thresholds(settings, entry.thresholds)
    except (StoreDamaged, ValueError) as error:
        warnings.append(f"thresholds of coins count as none: {error}")
    return GregRules(
        mode=mode,
        entry=evolve(entry, by_underlying=by_coin, terms=entry_terms(settings)),
        shipped=shipped,
        position=position_document(POSITION),
        overrides=found.overrides,
        warning="; ".join(each for each in warnings if each),
    )


def entry_document(path: Path) -> EntryRules:
    """
    The entry rules in the document at *path*.

    Raises:
        StoreDamaged: It cannot be read, or is not one of this engine; names what is wrong.
    """
    try:
        return entry_rules(read_rules(path))
    except ValueError as error:
        raise StoreDamaged(f"rules at {path}: {error}") from error


def position_document(path: Path) -> PositionRules:
    """
    The position rules in the document at *path*.

    Raises:
        StoreDamaged: As entry_document.
    """
    try:
        return position_rules(read_rules(path))
    except ValueError as error:
        raise StoreDamaged(f"rules at {path}: {error}") from error


@frozen
class OverridesFound:
    """What a person saved, and what is wrong with it."""

    overrides: RuleOverrides
    warning: str = ""


def overrides_in(data_dir: Path, mode: EnvMode) -> OverridesFound:
    """The overrides in *data_dir*; none at all in live."""
    if mode is EnvMode.LIVE:
        return OverridesFound(RuleOverrides())
    read = read_overrides(data_dir / OVERRIDES)
    return OverridesFound(RuleOverrides(**read.file.model_dump()), read.warning)


def save_overrides(data_dir: Path, overrides: RuleOverrides) -> None:
    """
    Keep *overrides*, which were checked; the next look at the rules goes by them.

    Raises:
        StoreUnwritable: They could not be written.
    """
    file = OverridesFile(
        use_global_risk_overrides=overrides.use_global_risk_overrides,
        use_bot_risk_overrides=overrides.use_bot_risk_overrides,
        use_entry_rule_overrides=overrides.use_entry_rule_overrides,
        global_risk=dict(overrides.global_risk),
        bot_risk={bot: dict(values) for bot, values in overrides.bot_risk.items()},
        entry_rules={bot: dict(values) for bot, values in overrides.entry_rules.items()},
    )
    write_overrides(data_dir / OVERRIDES, file)
