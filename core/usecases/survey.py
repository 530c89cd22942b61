"""Survey: what an archive holds, how good it is, and what does not belong there."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import frozen

from core.health.coverage import Coverage, coverage_of
from core.health.quality import (
    Quality,
    QualityParams,
    QualitySummary,
    SnapshotReport,
    report_on,
    summarise,
    unreadable,
)
from ports.errors import StoreDamaged
from ports.snapshots import HarvestArchive, Kept


@frozen(kw_only=True)
class FamilyListing:
    """What the archive holds of one family."""

    family: str
    coverage: Coverage
    rows: int
    files: int
    size_bytes: int
    skipped: int


@frozen
class Quarantined:
    """A file that was moved out of the archive, where to, and why."""

    file: str
    moved_to: str
    reason: str


@frozen(kw_only=True)
class FamilyHealth:
    """How good the snapshots of one family are; *worst* are the reports that are not ok."""

    family: str
    summary: QualitySummary
    coverage: Coverage
    worst: tuple[SnapshotReport, ...]
    quarantined: tuple[Quarantined, ...] = ()


@frozen(kw_only=True)
class Span:
    """The time that is judged, both ends in it, and how often it should have a snapshot."""

    since: datetime | None
    until: datetime
    interval: timedelta

    def holds(self, instant: datetime) -> bool:
        """Whether *instant* is in it."""
        return (self.since is None or instant >= self.since) and instant <= self.until


async def list_archive(
    archive: HarvestArchive, interval: timedelta, now: datetime
) -> tuple[FamilyListing, ...]:
    """
    Return what is kept of each family, against a snapshot every *interval*.

    Raises:
        StoreDamaged: The archive cannot be listed.
    """
    listings: list[FamilyListing] = []
    for family in await archive.families():
        kept = await archive.kept(family)
        sizes = {each.file: each.size_bytes for each in kept}
        listings.append(
            FamilyListing(
                family=family,
                coverage=coverage_of([each.taken_at for each in kept], interval, now),
                rows=sum(each.rows for each in kept),
                files=len(sizes),
                size_bytes=sum(sizes.values()),
                skipped=len(await archive.skipped(family)),
            )
        )
    return tuple(listings)


async def judge_archive(
    archive: HarvestArchive, family: str, span: Span, params: QualityParams
) -> FamilyHealth:
    """
    Return how good every snapshot of *family* in *span* is; nothing is moved.

    Raises:
        StoreDamaged: The archive cannot be listed; one file that cannot be read is a report.
    """
    kept = [each for each in await archive.kept(family) if span.holds(each.taken_at)]
    reports = [await _judged(archive, family, each, params) for each in kept]
    skipped = await archive.skipped(family)
    reports += [unreadable(each.file, each.reason) for each in skipped]
    instants = [each.taken_at for each in kept]
    return FamilyHealth(
        family=family,
        summary=summarise(reports, params),
        coverage=coverage_of(instants, span.interval, span.until),
        worst=tuple(each for each in reports if each.status is not Quality.OK),
    )


async def quarantine_failed(
    archive: HarvestArchive, health: FamilyHealth, kept: Sequence[Kept]
) -> tuple[Quarantined, ...]:
    """
    Move every file that failed out of the archive, its reason beside it; nothing is deleted.

    A file that *kept* counts many snapshots in is left: the others in it may be sound.

    Raises:
        StoreUnwritable: A file could not be moved; those before it were.
    """
    shared = {each.file for each in kept if not each.sha256}
    moved: list[Quarantined] = []
    for report in health.worst:
        if report.status is Quality.FAILED and report.file not in shared:
            reason = "; ".join(report.schema_issues)
            target = await archive.quarantine(health.family, report.file, reason)
            moved.append(Quarantined(report.file, target, reason))
    return tuple(moved)


async def _judged(
    archive: HarvestArchive, family: str, kept: Kept, params: QualityParams
) -> SnapshotReport:
    try:
        return report_on(await archive.table(family, kept.taken_at), params)
    except StoreDamaged as error:
        return unreadable(kept.file, str(error))
