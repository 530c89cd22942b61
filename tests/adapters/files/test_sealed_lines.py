"""The files behind both logs: their form, their damage, and what opening makes of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.sealed_lines import LineDamaged, SealedLines, quarantine
from adapters.files.venue_log import FileVenueLog
from ports.codec import Fields
from ports.errors import StoreDamaged, StoreForeign, StoreUnwritable
from ports.sealing import unseal
from tests.support.entries import NOW

DAY = timedelta(days=1)
FIRST, SECOND, THIRD = (
    "journal-20260102-00000001.jsonl",
    "journal-20260103-00000004.jsonl",
    "journal-20260104-00000007.jsonl",
)


def payload(number: int) -> Fields:
    return {"type": "Alarm", "version": 1, "detail": f"é{number}", "price": number / 7}


def opened(directory: Path) -> SealedLines:
    return SealedLines(Disk(), directory, "journal")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A log of nine lines in three files of three."""
    log = opened(tmp_path)
    for number in range(9):
        log.append(NOW + number // 3 * DAY, payload(number + 1))
    return tmp_path


def numbers(log: SealedLines, after: int = 0) -> list[int]:
    return [line.seq for line in log.lines(after)]


def damage_of(directory: Path) -> LineDamaged:
    before = {path: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(LineDamaged) as raised:
        opened(directory)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before
    return raised.value


def test_a_file_a_day_named_by_its_first_line(directory: Path) -> None:
    """Each UTC day has a file that says its day and its first number."""
    assert sorted(path.name for path in directory.iterdir()) == [FIRST, SECOND, THIRD]


def test_lines_are_canonical_json_under_a_chain(directory: Path) -> None:
    """Keys and checksum are as documented, worked out here without our code."""
    previous = ""
    seq = 0
    for name in (FIRST, SECOND, THIRD):
        for text in (directory / name).read_text("ascii").splitlines():
            fields = json.loads(text)
            assert text == json.dumps(fields, sort_keys=True, separators=(",", ":"))
            assert list(fields) == ["at", "checksum", "kind", "payload", "schema_version", "seq"]
            checksum = fields.pop("checksum")
            body = json.dumps(fields, sort_keys=True, separators=(",", ":"))
            assert checksum == sha256((previous + body).encode()).hexdigest()
            seq += 1
            assert (fields["seq"], fields["kind"], fields["schema_version"]) == (seq, "Alarm", 1)
            assert fields["payload"] == payload(seq)
            previous = checksum
    assert seq == 9


def test_a_reopened_log_goes_on(directory: Path) -> None:
    """The next process numbers and seals behind the last line."""
    line = opened(directory).append(NOW + 2 * DAY, payload(10))

    assert line.seq == 10
    assert numbers(opened(directory)) == list(range(1, 11))
    assert len(list(directory.iterdir())) == 3


def test_reading_on_starts_anywhere(tmp_path: Path) -> None:
    """lines(after) is right around every place that is remembered to read on from."""
    log = opened(tmp_path)
    for number in range(1, 2203):
        log.append(NOW + number // 1100 * DAY, payload(number))

    for reader in (log, opened(tmp_path)):
        for after in (0, 1, 998, 999, 1000, 1001, 1099, 1100, 1101, 2098, 2100, 2201, 2202, 9999):
            assert numbers(reader, after) == list(range(after + 1, 2203))


def test_a_last_line_torn_anywhere_is_cut_off(tmp_path: Path) -> None:
    """Whatever part of the last line was written, the log ends before it and goes on there."""
    log = opened(tmp_path / "whole")
    log.append(NOW, payload(1))
    size = (tmp_path / "whole" / FIRST).stat().st_size
    log.append(NOW, payload(2))
    both = (tmp_path / "whole" / FIRST).read_bytes()
    assert len(both) - size > 200

    for torn_size in range(1, len(both) - size):
        directory = tmp_path / str(torn_size)
        directory.mkdir()
        (directory / FIRST).write_bytes(both[: size + torn_size])
        reopened = opened(directory)
        assert reopened.torn is not None
        assert (reopened.torn.seq, reopened.torn.size) == (2, size)
        assert numbers(reopened) == [1]
        reopened.append(NOW, payload(2))

        assert (directory / FIRST).read_bytes() == both
        assert reopened.torn.kept == directory / f"{FIRST}.torn-2"
        assert reopened.torn.kept.read_bytes() == both[size : size + torn_size]
        assert opened(directory).torn is None


@pytest.mark.parametrize("line_end", [b"", b"\n"])
def test_pages_that_were_never_written_are_a_torn_line(directory: Path, line_end: bytes) -> None:
    """A tail of NUL bytes is what a loss of power leaves of an append."""
    with (directory / THIRD).open("ab") as file:
        file.write(bytes(100) + line_end)
    log = opened(directory)

    assert log.torn is not None
    assert log.torn.seq == 10
    assert log.append(NOW + 3 * DAY, payload(10)).seq == 10
    assert numbers(opened(directory)) == list(range(1, 11))


@pytest.mark.parametrize("open_log", [FileDecisionLog, FileVenueLog])
def test_both_logs_report_a_torn_tail(
    tmp_path: Path, open_log: Callable[[Disk, Path], FileDecisionLog | FileVenueLog]
) -> None:
    """What was cut off can be told to a person."""
    for stem in ("journal", "venue"):
        (tmp_path / f"{stem}-20260102-00000001.jsonl").write_bytes(b'{"at":')
    torn = open_log(Disk(), tmp_path).torn

    assert torn is not None
    assert torn.seq == 1


def test_opening_writes_nothing(directory: Path) -> None:
    """A torn tail stays where it is until the first append: readers need no lock."""
    with (directory / THIRD).open("ab") as file:
        file.write(b'{"at":')
    before = {path: path.read_bytes() for path in directory.iterdir()}
    list(opened(directory).lines())

    assert {path: path.read_bytes() for path in directory.iterdir()} == before


def test_a_file_without_lines_is_used_or_passed_by(tmp_path: Path) -> None:
    """A crash between a new day's file and its first line loses and breaks nothing."""
    (tmp_path / FIRST).touch()
    log = opened(tmp_path)
    assert numbers(log) == []
    log.append(NOW + DAY, payload(1))

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        FIRST,
        "journal-20260103-00000001.jsonl",
    ]
    assert numbers(opened(tmp_path)) == [1]


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """A flip of any byte is damage; only the last line end can make the tail a torn one."""
    log = opened(tmp_path)
    for number in range(1, 4):
        log.append(NOW, payload(number))
    path = tmp_path / FIRST
    good = path.read_bytes()
    for place in range(len(good)):
        for flip in (0x01, 0x20, 0x80):
            path.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
            if place == len(good) - 1:
                assert (torn := opened(tmp_path).torn) is not None
                assert torn.seq == 3
            else:
                seq = 1 + good[:place].count(b"\n")
                with pytest.raises(LineDamaged, match=rf"line {seq}, number {seq} of the log"):
                    opened(tmp_path)


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (FIRST, [0, 2], f"{FIRST} line 2, number 2 of the log: it says it is number 3"),
        (FIRST, [0, 0, 1, 2], f"{FIRST} line 2, number 2 of the log: it says it is number 1"),
        (FIRST, [1, 0, 2], f"{FIRST} line 1, number 1 of the log: it says it is number 2"),
        (FIRST, [0, 1], f"{SECOND} line 1, number 3 of the log: the file begins with number 4"),
        (SECOND, [], f"{THIRD} line 1, number 4 of the log: the file begins with number 7"),
        (THIRD, [1, 2], f"{THIRD} line 1, number 7 of the log: it says it is number 8"),
    ],
    ids=["a hole", "a line twice", "lines swapped", "no end", "no lines", "no beginning"],
)
def test_lines_must_be_there_once_and_in_order(
    directory: Path, name: str, lines: list[int], message: str
) -> None:
    """A hole or a line twice is damage at the exact line and number."""
    whole = (directory / name).read_bytes().splitlines(keepends=True)
    (directory / name).write_bytes(b"".join(whole[line] for line in lines))

    assert str(damage_of(directory)) == f"{directory}/{message}"


def test_a_line_of_another_log_is_damage(directory: Path) -> None:
    """A line with the right number but another past does not fit behind ours."""
    other_directory = directory / "other"
    other = opened(other_directory)
    for number in range(1, 4):
        other.append(NOW, payload(number + (number == 1)))
    theirs = (other_directory / FIRST).read_bytes().splitlines(keepends=True)
    ours = (directory / FIRST).read_bytes().splitlines(keepends=True)
    (directory / FIRST).write_bytes(b"".join([ours[0], theirs[1], ours[2]]))

    with pytest.raises(LineDamaged, match="number 2 of the log: its checksum is wrong"):
        opened(directory)


def test_a_missing_file_is_damage(directory: Path) -> None:
    """Without the second file the third begins too late."""
    (directory / SECOND).unlink()
    damage = damage_of(directory)

    assert (damage.path.name, damage.seq) == (THIRD, 4)


def test_a_missing_first_file_is_damage(directory: Path) -> None:
    """A log begins with number 1."""
    (directory / FIRST).unlink()

    assert (damage_of(directory).path.name, damage_of(directory).seq) == (SECOND, 1)


def test_a_torn_line_in_an_older_file_is_damage(directory: Path) -> None:
    """Only the last line of the last file can be torn."""
    path = directory / FIRST
    path.write_bytes(path.read_bytes()[:-1])

    assert damage_of(directory).seq == 3


def test_damage_while_reading_is_noticed(directory: Path) -> None:
    """lines() verifies again: what changed since the opening is named too."""
    log = opened(directory)
    path = directory / SECOND
    path.write_bytes(path.read_bytes().replace(b"\\u00e95", b"\\u00e96"))

    with pytest.raises(LineDamaged, match="number 5 of the log: its checksum is wrong"):
        list(log.lines())


def test_a_file_that_vanishes_stops_reading_and_writing(directory: Path) -> None:
    """A log whose file was removed neither reads on nor begins it anew."""
    log = opened(directory)
    (directory / THIRD).unlink()

    with pytest.raises(StoreDamaged, match="No such file"):
        list(log.lines())
    with pytest.raises(StoreUnwritable, match="No such file"):
        log.append(NOW + 2 * DAY, payload(10))
    assert not (directory / THIRD).exists()


def test_a_quarantined_file_keeps_the_log_shut(directory: Path) -> None:
    """quarantine() moves the file; the log stays shut until a person has dealt with it."""
    path = directory / SECOND
    good = path.read_bytes()
    path.write_bytes(good.replace(b"0.7142857142857143", b"0.7142857142857144"))
    aside = quarantine(Disk(), damage_of(directory))

    assert aside.name == f"{SECOND}.corrupt-1"
    assert not path.exists()
    with pytest.raises(StoreDamaged, match=r"corrupt-1 is in quarantine"):
        opened(directory)

    aside.rename(path)
    path.write_bytes(good)
    assert numbers(opened(directory)) == list(range(1, 10))


def test_a_newer_program_is_respected(tmp_path: Path) -> None:
    """A rightly sealed line of a later version is foreign, not damaged."""
    body = '{"at":"2026-01-02T09:30:00.000000Z","kind":"A","payload":{},"schema_version":2,"seq":1}'
    checksum = sha256(body.encode()).hexdigest()
    line = body.replace(',"kind"', f',"checksum":"{checksum}","kind"')
    assert unseal("", line.encode()) == checksum
    (tmp_path / FIRST).write_text(f"{line}\n")

    with pytest.raises(StoreForeign, match="version 2; this program knows 1"):
        opened(tmp_path)


@pytest.mark.parametrize("text", [b"[]\n", b"7\n", b"null\n", b'{"seq":1}\n', b"\n", b"\xff\xfe\n"])
def test_other_json_is_damage(tmp_path: Path, text: bytes) -> None:
    """A line that is not a sealed one is refused, whatever it is."""
    (tmp_path / FIRST).write_bytes(text)

    assert damage_of(tmp_path).seq == 1


def test_other_files_are_left_alone(directory: Path) -> None:
    """Only files named as ours are read: two logs and a lock may share the directory."""
    for name in ("venue-20260102-00000001.jsonl", "journal.jsonl", "journal-1.jsonl", "LOCK"):
        (directory / name).write_text("not ours")

    assert numbers(opened(directory)) == list(range(1, 10))
