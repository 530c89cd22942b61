"""Which code this is: the program's version and, in a checkout, its revision."""

from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SHOWN = 9  # characters of a revision


def code_version() -> str:
    """The version, with the revision behind a plus sign where there is one to read."""
    released, revision = version("options-agent"), _revision(_ROOT / ".git")
    return f"{released}+{revision[:_SHOWN]}" if revision else released


def _revision(folder: Path) -> str:
    """The revision that is checked out; empty where *folder* holds no repository."""
    try:
        head = (folder / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        return (folder / head.removeprefix("ref: ")).read_text(encoding="ascii").strip()
    except OSError:
        return ""
