"""Exit codes of `options-agent`: what a script may rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    MISUSE = 2
    LOCKED = 3
    REFUSED = 4
    HALTED = 5
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "ran and failed, or the venue was not reachable",
    ExitCode.MISUSE: "usage or settings are wrong; nothing was done",
    ExitCode.LOCKED: "another process holds the book",
    ExitCode.REFUSED: "a limit or a gate said no",
    ExitCode.HALTED: "the agent halted itself; the reason is shown",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}
