"""Results of sweeps on a disk that fails, and files that somebody else wrote."""

from pathlib import Path

import pytest

from adapters.files.disk import Disk
from adapters.files.finished_cells import FileFinishedCells
from ports.errors import PortError, StoreDamaged
from ports.sweeps import CellResult
from tests.support.faulty_files import Fault, FaultKind, FaultyFiles


async def test_a_torn_line_is_put_aside(tmp_path: Path) -> None:
    """What a crash cut short is not read, and not written behind."""
    path = tmp_path / "sweeps" / "s.jsonl"
    await FileFinishedCells(tmp_path).keep("s", CellResult(key="a", value=1))
    with path.open("ab") as file:
        file.write(b'{"error":"","key":"b","va')

    store = FileFinishedCells(tmp_path)
    assert list(await store.kept("s")) == ["a"]
    await store.keep("s", CellResult(key="c", value=3))

    assert list(await FileFinishedCells(tmp_path).kept("s")) == ["a", "c"]
    assert (tmp_path / "sweeps" / "s.jsonl.torn").read_bytes() == b'{"error":"","key":"b","va'


@pytest.mark.parametrize("line", [b"not json\n", b"[]\n", b'{"key":"a"}\n'])
async def test_a_foreign_line_is_damage(tmp_path: Path, line: bytes) -> None:
    """Named with its file and number."""
    await FileFinishedCells(tmp_path).keep("s", CellResult(key="a", value=1))
    with (tmp_path / "sweeps" / "s.jsonl").open("ab") as file:
        file.write(line)

    with pytest.raises(StoreDamaged, match=r"s\.jsonl, line 2"):
        await FileFinishedCells(tmp_path).kept("s")


@pytest.mark.parametrize("call", range(12, 60, 3))
async def test_a_full_disk_keeps_what_was_there(call: int) -> None:
    """The failure is told; what was kept before it is read, and what is kept after it."""
    calls = FaultyFiles(Fault(call, FaultKind.FULL))
    store, kept, lost = FileFinishedCells(Path("/data"), Disk(calls)), [], []
    for number in range(30):
        try:
            await store.keep("s", CellResult(key=str(number), value=number))
            kept.append(str(number))
        except PortError:
            lost.append(str(number))

    assert len(lost) == 1
    found = await FileFinishedCells(Path("/data"), Disk(calls)).kept("s")
    assert [key for key in found if key not in lost] == kept


@pytest.mark.parametrize("value", [(1, 2), float("nan"), {1: 2}, object()])
async def test_a_value_that_json_does_not_hold_is_refused(tmp_path: Path, value: object) -> None:
    """It would come back as something else."""
    with pytest.raises((ValueError, TypeError)):
        await FileFinishedCells(tmp_path).keep("s", CellResult(key="a", value=value))

    assert await FileFinishedCells(tmp_path).kept("s") == {}


@pytest.mark.parametrize("name", ["", "../s", "a/b", ".hidden"])
async def test_a_sweep_has_a_name_that_is_a_file(tmp_path: Path, name: str) -> None:
    """Nothing is read or written elsewhere."""
    with pytest.raises(ValueError, match="no name of a sweep"):
        await FileFinishedCells(tmp_path).kept(name)
