"""An agent whose exchange hangs ends all the same, soon after it is asked to."""

import signal
import socket
import time
from pathlib import Path

from tests.support.agents import start_agent
from tests.support.wire_processes import address

_PATIENCE_S = 10.0  # of whoever asked


def test_asked_to_end_during_a_start_that_hangs(tmp_path: Path) -> None:
    """Something that takes connections and says nothing holds up neither start nor end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        running = start_agent("run", "--venue", "exchange", *address(port), cwd=tmp_path)
        silent.settimeout(60)
        connection, _ = silent.accept()  # it has begun to ask who is there
        with connection:
            asked_at_s = time.monotonic()
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=60)

    assert running.returncode == 0
    assert "stopped" in said
    assert time.monotonic() - asked_at_s < _PATIENCE_S
