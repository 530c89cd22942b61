"""Faults on purpose are switched on by flags of `exchange serve`, and by nothing else."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.exchange.faults.script import BadScript, draws_from
from tests.support.exchanges import refusal, served
from tests.support.wire_processes import exchange_process

_ROOT = Path(__file__).parents[2]


@contextmanager
def serving(*flags: str) -> Iterator[httpx.Client]:
    """A client of an exchange in a process of its own, started with *flags*."""
    with (
        exchange_process("--no-limits", *flags, cwd=_ROOT) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v2", trust_env=False) as client,
    ):
        yield client


def posted(client: httpx.Client, method: str) -> httpx.Response:
    return client.post(method, json={"jsonrpc": "2.0", "id": 5, "method": method, "params": {}})


async def test_without_its_flag_nothing_can_be_armed() -> None:
    """The methods are unknown to an exchange that was not told to go wrong."""
    async with served() as rig:
        codes = [(await refusal(rig, method)).code for method in ("paper/faults", "paper/calm")]

    assert codes == [-32601, -32601]


async def test_faults_are_armed_and_calmed_by_methods() -> None:
    """paper/faults arms what comes in and tells what happened; after paper/calm nothing does."""
    async with served(is_faulty=True) as rig:
        told = await rig.call(
            "paper/faults",
            arm=[{"kind": "error", "method": "public/get_time", "code": 10040, "times": 2}],
        )
        code = (await refusal(rig, "public/get_time")).code
        after = await rig.call("paper/faults")
        calmed = await rig.call("paper/calm")
        await rig.call("public/get_time")

    assert told == {"armed": 1, "happened": 0}
    assert code == 10040
    assert after == {"armed": 1, "happened": 1}
    assert calmed == {"armed": 0, "happened": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "nothing_like_it"},
        {"kind": "dropped", "times": 0},
        {"kind": "outage", "span_s": -1},
        {"kind": "dropped", "unknown": 1},
        {},
    ],
    ids=str,
)
async def test_what_is_no_fault_is_refused(fault: dict[str, Any]) -> None:
    """A fault that does not read is refused as a parameter, and nothing is armed."""
    async with served(is_faulty=True) as rig:
        error = await refusal(rig, "paper/faults", arm=[fault])
        told = await rig.call("paper/faults")

    assert error.code == -32602
    assert (error.data or {})["param"] == "arm"
    assert told["armed"] == 0


def test_a_share_of_requests_goes_wrong_by_a_seed() -> None:
    """Two exchanges with one seed do the same to the same requests, and another does not."""
    outcomes = []
    for seed in (7, 7, 8):
        with serving(
            "--faults", f"seed={seed},rate=0.5,kinds=error+foreign+server_error"
        ) as client:
            outcomes.append([posted(client, "public/test").status_code for _ in range(40)])

    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != outcomes[2]
    assert 200 in outcomes[0]
    assert {500, 502, 503} & set(outcomes[0])


def test_a_script_says_what_goes_wrong(tmp_path: Path) -> None:
    """The faults of the file happen, in order, from the start on."""
    script = tmp_path / "faults.json"
    script.write_text(
        json.dumps(
            [
                {"kind": "foreign", "method": "public/get_time"},
                {"kind": "error", "method": "public/*", "code": 13028, "skip": 1},
            ]
        )
    )
    with serving("--fault-script", str(script)) as client:
        first, second, third = (posted(client, "public/get_time") for _ in range(3))
        armed = posted(client, "paper/faults").json()["result"]

    assert first.text.startswith("<html>")
    assert "result" in second.json()
    assert third.json()["error"]["code"] == 13028
    assert armed["happened"] == 2


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("often", "seed"),
        ("seed=7", "rate"),
        ("seed=7,rate=2", "rate"),
        ("seed=7,rate=0.1,kinds=dropped+sometimes", "kinds.1"),
    ],
)
def test_draws_that_do_not_read(told: str, named: str) -> None:
    """The part of --faults that is wrong is named."""
    with pytest.raises(BadScript, match=re.escape(f"{told}: {named}: ")):
        draws_from(told)


@pytest.mark.parametrize("flag", ["--faults", "--fault-script"])
def test_flags_that_do_not_read(tmp_path: Path, flag: str) -> None:
    """Exit code 2, and the part that is wrong is named; nothing is served."""
    script = tmp_path / "faults.json"
    script.write_text('[{"kind": "sometimes"}]')
    given, named = {"--faults": ("often", "seed"), "--fault-script": (str(script), "0.kind")}[flag]

    command = (sys.executable, "-m", "apps.exchange.main", "--memory", flag, given)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=_ROOT, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert f"{given}: {named}: " in done.stderr
