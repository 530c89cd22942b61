"""What every ControlStore promises."""

from collections.abc import Callable
from datetime import timedelta
from math import inf, nan
from pathlib import Path
from typing import TypeAlias

import pytest

from adapters.files.controls import FileControlStore
from adapters.files.disk import Disk
from adapters.memory.controls import MemoryControlStore
from ports.controls import ControlChange, ReconcileAction, RuntimeControls
from tests.support.entries import NOW

Store: TypeAlias = MemoryControlStore | FileControlStore


def memory(_: Path) -> Store:
    return MemoryControlStore()


def files(directory: Path) -> Store:
    return FileControlStore(Disk(), directory, (directory / "KILL",), journal_exists=lambda: False)


@pytest.fixture(params=[memory, files], ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    make: Callable[[Path], Store] = request.param
    return make(tmp_path / "book")


async def test_a_new_store_changes_no_setting(store: Store) -> None:
    """Before the first change every control leaves its setting as it is."""
    assert await store.read() == RuntimeControls()
    assert await store.audit() == ()


async def test_a_change_is_read_and_audited(store: Store) -> None:
    """A change of several controls is one revision with a line for each of them."""
    changes: dict[str, object] = {"max_margin_used_pct": 60, "explore_prob": 0.5}
    answered = await store.change(NOW, "ann", "calmer", changes)

    assert answered == await store.read()
    assert answered == RuntimeControls(revision=1, max_margin_used_pct=60.0, explore_prob=0.5)
    line = ControlChange(
        at=NOW,
        who="ann",
        reason="calmer",
        name="max_margin_used_pct",
        old="",
        new="60.0",
        revision=1,
    )
    assert (await store.audit())[0] == line
    assert [(line.name, line.new) for line in await store.audit()][1:] == [("explore_prob", "0.5")]


async def test_the_audit_keeps_every_change_in_order(store: Store) -> None:
    """Each change adds its lines with the value before it and the next revision."""
    await store.change(NOW, "ann", "", {"delta_max": 0.3})
    await store.change(NOW + timedelta(seconds=1), "bob", "", {"delta_max": 0.4})
    await store.change(NOW + timedelta(seconds=2), "ann", "", {"delta_max": None})

    assert [(line.who, line.old, line.new, line.revision) for line in await store.audit()] == [
        ("ann", "", "0.3", 1),
        ("bob", "0.3", "0.4", 2),
        ("ann", "0.4", "", 3),
    ]
    assert await store.read() == RuntimeControls(revision=3)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("daily_drawdown_limit_pct", 0, 0.0),
        ("daily_drawdown_limit_pct", 100, 100.0),
        ("position_reconcile_action", "auto_heal", ReconcileAction.AUTO_HEAL),
        ("position_reconcile_tolerance_usd", 25.5, 25.5),
        ("max_net_delta_abs", 3, 3.0),
        ("liquidity_max_spread_pct", 12.5, 12.5),
        ("liquidity_min_open_interest", 1e6, 1e6),
        ("explore_prob", 1, 1.0),
        ("ivrv_min", 1.2, 1.2),
        ("delta_min", 0.1, 0.1),
        ("dte_min", 3, 3.0),
        ("dte_max", 45, 45.0),
    ],
)
async def test_a_value_in_its_range_is_kept(
    store: Store, name: str, value: object, kept: object
) -> None:
    """Every control can be set, a number as a float, a word as its enum."""
    controls = await store.change(NOW, "ann", "", {name: value})

    assert getattr(controls, name) == kept
    assert type(getattr(controls, name)) is type(kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_margin_used_pct", 100.1),
        ("max_margin_used_pct", -0.1),
        ("max_margin_used_pct", nan),
        ("max_net_delta_abs", inf),
        ("max_net_delta_abs", -1),
        ("max_net_delta_abs", "3"),
        ("max_net_delta_abs", True),
        pytest.param("max_net_delta_abs", 10**400, id="beyond floats"),
        ("explore_prob", 1.01),
        ("delta_max", 2),
        ("kill_switch", None),
        ("kill_switch", "on"),
        ("revision", 9),
        ("releases", 9),
        ("kill_reason", "x"),
        ("no_such_control", 1),
    ],
)
async def test_a_wrong_change_changes_nothing(store: Store, name: str, value: object) -> None:
    """One wrong name or value refuses the whole change; nothing is audited."""
    await store.change(NOW, "ann", "", {"dte_min": 5})
    with pytest.raises(ValueError, match=name):
        await store.change(NOW, "ann", "", {"dte_min": 7, name: value})

    assert await store.read() == RuntimeControls(revision=1, dte_min=5.0)
    assert len(await store.audit()) == 1


@pytest.mark.parametrize(("low", "high"), [("delta_min", "delta_max"), ("dte_min", "dte_max")])
async def test_a_range_cannot_be_crossed(store: Store, low: str, high: str) -> None:
    """A lower bound above the upper one is refused, in one change or in two."""
    await store.change(NOW, "ann", "", {low: 0.2, high: 0.2})
    with pytest.raises(ValueError, match=f"{low} must not be above {high}"):
        await store.change(NOW, "ann", "", {low: 0.3})


@pytest.mark.parametrize(("who", "changes"), [(" ", {"dte_min": 1}), ("ann", {})])
async def test_nobody_and_nothing_are_refused(
    store: Store, who: str, changes: dict[str, object]
) -> None:
    """A change names who makes it and what is changed."""
    with pytest.raises(ValueError, match="must name"):
        await store.change(NOW, who, "", changes)


async def test_the_kill_switch_goes_on_at_once(store: Store) -> None:
    """kill_switch to True needs nothing but a name, and keeps its reason."""
    assert (await store.change(NOW, "ann", "smoke", {"kill_switch": True})).kill_switch
    assert (await store.read()).kill_reason == "smoke"
    assert (await store.read()).releases == 0


async def test_a_release_needs_a_reason(store: Store) -> None:
    """The kill switch stays on until somebody says why it may go off."""
    await store.change(NOW, "ann", "smoke", {"kill_switch": True})
    for empty in ("", "  "):
        with pytest.raises(ValueError, match="reason"):
            await store.release(NOW, "bob", empty)
        with pytest.raises(ValueError, match="reason"):
            await store.change(NOW, "bob", empty, {"kill_switch": False})

    assert (await store.read()).kill_switch


async def test_a_release_turns_it_off_and_is_counted(store: Store) -> None:
    """A release counts even if the kill switch was off: it may end a halt."""
    await store.change(NOW, "ann", "smoke", {"kill_switch": True})
    first = await store.release(NOW, "bob", "no fire")
    second = await store.change(NOW, "bob", "resume", {"kill_switch": False})

    assert first == RuntimeControls(revision=2, releases=1)
    assert second == RuntimeControls(revision=3, releases=2)
    assert [line.new for line in await store.audit()] == ["true", "false", "false"]
