"""RuntimeControls: what a person may change while the agent runs."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from ports.checks import utc


class ReconcileAction(StrEnum):
    """What a difference between our book and the venue's leads to."""

    HALT = "halt"
    AUTO_HEAL = "auto_heal"


@frozen(kw_only=True)
class RuntimeControls:
    """
    The overlay over the settings; None leaves a setting as it is.

    *revision* counts changes, *releases* how often a person ended a kill or a halt. While
    *kill_switch* is on nothing that raises risk is sent.
    """

    revision: int = 0
    releases: int = 0
    kill_switch: bool = False
    kill_reason: str = ""
    daily_drawdown_limit_pct: float | None = None
    position_reconcile_action: ReconcileAction | None = None
    position_reconcile_tolerance_usd: float | None = None
    max_margin_used_pct: float | None = None
    max_net_delta_abs: float | None = None
    liquidity_max_spread_pct: float | None = None
    liquidity_min_open_interest: float | None = None
    explore_prob: float | None = None
    ivrv_min: float | None = None
    delta_min: float | None = None
    delta_max: float | None = None
    dte_min: float | None = None
    dte_max: float | None = None


@frozen(kw_only=True)
class ControlChange:
    """Who changed what, when and why: the audit line of one change."""

    at: datetime = field(validator=utc)
    who: str
    reason: str
    name: str
    old: str
    new: str
    revision: int


class ControlStore(Protocol):
    """Where the controls are kept; several processes may read and change them."""

    async def read(self) -> RuntimeControls:
        """
        Return the controls as they are now. Safe to retry.

        What cannot be read counts as the kill switch on, with the reason.
        """
        ...

    async def change(
        self, at: datetime, who: str, reason: str, changes: dict[str, object]
    ) -> RuntimeControls:
        """
        Apply *changes*, field name to new value, all or none, and write the audit lines.

        kill_switch to False is a release: it counts in releases even if it was off.

        Raises:
            ValueError: No such control, or a value it cannot have.

            StoreUnwritable: It could not be kept; nothing was changed.
        """
        ...

    async def audit(self) -> tuple[ControlChange, ...]:
        """Return every change ever made, oldest first. Safe to retry."""
        ...
