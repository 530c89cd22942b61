"""A file that a command was asked to write."""

from collections.abc import Callable
from pathlib import Path

from apps.cli.book_view import end
from apps.cli.console import tell
from apps.cli.exits import ExitCode


def write_out(path: Path, text: str) -> None:
    """
    Write *text* to *path* and say so; where that fails, say why and end with FAILED.

    A file that was there before stays as it was then.
    """
    is_stream = path.exists() and not path.is_file()
    draft = path if is_stream else path.resolve().with_name(f"{path.name}.tmp")
    try:
        draft.write_text(text, encoding="utf-8")
        if not is_stream:
            draft.replace(path.resolve())
    except OSError as error:
        if not is_stream:
            draft.unlink(missing_ok=True)
        end(f"{path} cannot be written: {error.strerror}", ExitCode.FAILED)
    tell(f"wrote {path}")


def write_if_asked(path: Path | None, text: Callable[[], str]) -> None:
    """Write what *text* makes to *path*, as write_out does; nothing where there is no path."""
    if path is not None:
        write_out(path, text())
