"""Variants of the entry rules as the settings have them, and thresholds that were reviewed."""

from datetime import UTC, date, datetime
from pathlib import Path

from adapters.files.rule_thresholds import (
    ThresholdLine,
    ThresholdMeta,
    ThresholdsFile,
    read_thresholds,
    write_thresholds,
)
from apps.settings.faults import Fault, SettingsError
from apps.settings.root import Settings
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.rolling import ThresholdProposal
from core.greg.thresholds import EntryThresholds


def entry_terms(settings: Settings) -> EntryTerms:
    """
    The variants in use, and the events that they look at.

    Raises:
        SettingsError: There is no variant of a name, or an event is no instant.
    """
    names = settings.greg.greg_entry_variants
    unknown = [name for name in names if name not in set(EntryVariant)]
    if unknown:
        path, allowed = "greg.greg_entry_variants", ", ".join(EntryVariant)
        raise SettingsError((Fault(path, ", ".join(unknown), allowed, ""),))
    return EntryTerms(
        variants=frozenset(EntryVariant(name) for name in names),
        events=tuple(_instant(each) for each in settings.greg.greg_scheduled_events),
    )


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        path, allowed = "greg.greg_scheduled_events", "instants such as 2026-03-18T18:00Z"
        raise SettingsError((Fault(path, text, allowed, ""),)) from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def reviewed_thresholds(settings: Settings, base: EntryThresholds) -> dict[str, EntryThresholds]:
    """
    The thresholds of each coin in the file that *settings* name, laid over *base*; none without.

    Raises:
        StoreDamaged: The file cannot be read.

        ValueError: Nobody has reviewed it, or a key is not of a threshold.
    """
    if not settings.greg.greg_thresholds_file:
        return {}
    path = Path(settings.greg.greg_thresholds_file)
    file = read_thresholds(path)
    if not file.meta.reviewed_by:
        raise ValueError(f"{path} names nobody who reviewed it")
    return {
        coin: base.overridden({key: line.value for key, line in lines.items()})
        for coin, lines in file.underlyings.items()
    }


def save_proposals(
    path: Path, found: dict[str, tuple[ThresholdProposal, ...]], as_of: date
) -> None:
    """
    Write *found*, by coin, to *path* for somebody to review.

    Raises:
        StoreUnwritable: It could not be written.
    """
    underlyings = {
        coin: {
            each.key: ThresholdLine(
                value=each.value,
                previous=each.previous,
                sensor=each.sensor,
                percentile=each.percentile,
                sample_size=each.sample_size,
            )
            for each in lines
        }
        for coin, lines in found.items()
    }
    write_thresholds(path, ThresholdsFile(meta=ThresholdMeta(as_of=as_of), underlyings=underlyings))
