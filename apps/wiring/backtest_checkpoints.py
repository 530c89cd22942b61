"""Where stopped backtests can be taken up again: a file a run and exit style."""

from pathlib import Path

from adapters.files.disk import Disk
from adapters.files.documents import document, fields_of
from core.usecases.backtest import CHECKPOINTS, Checkpoint
from ports.errors import StoreDamaged

_FOLDER = "backtests"  # in the data folder


def keep_checkpoint(data_dir: Path, run_id: str, style: str, checkpoint: Checkpoint | None) -> None:
    """
    Write the checkpoint of a run that was stopped; of one at its end take it away.

    Raises:
        StoreUnwritable: It could not be written or removed.
    """
    disk, path = Disk(), _path(data_dir, run_id, style)
    if checkpoint is None:
        if disk.exists(path):
            disk.remove(path)
        return
    disk.make_directory(path.parent)
    disk.replace(path, document(CHECKPOINTS.encode(checkpoint)))


def checkpoint_of(data_dir: Path, run_id: str, style: str) -> Checkpoint | None:
    """
    Where the run stopped in *style*; None if it did not.

    Raises:
        StoreDamaged: It cannot be read.
    """
    path = _path(data_dir, run_id, style)
    data = Disk().read(path)
    if data is None:
        return None
    try:
        checkpoint: Checkpoint = CHECKPOINTS.decode(fields_of(data))
    except ValueError as error:
        raise StoreDamaged(f"{path}: {error}") from error
    return checkpoint


def _path(data_dir: Path, run_id: str, style: str) -> Path:
    return data_dir / _FOLDER / f"{run_id}.{style}.json"
