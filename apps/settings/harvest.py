"""The harvester: how often, which currencies, and where to."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from apps.settings.kinds import Currencies, Positive, Section


class HarvestSettings(Section):
    """Recording of option chains."""

    harvester_interval_seconds: Positive = Field(
        900.0,
        description="time from one pass to the next, seconds",
    )
    harvester_interval_minutes: float | None = Field(
        None,
        gt=0,
        description="the same in minutes; wins over seconds when given",
    )
    harvester_data_root: Path = Field(
        Path("data/live_deribit"),
        description="folder of the harvested chains",
    )
    harvester_currencies: Currencies = Field(
        ("BTC", "ETH", "USDC"),
        description="what is harvested; USDC is every linear family",
    )

    @property
    def interval(self) -> timedelta:
        """Time from one pass to the next."""
        if self.harvester_interval_minutes is not None:
            return timedelta(minutes=self.harvester_interval_minutes)
        return timedelta(seconds=self.harvester_interval_seconds)
