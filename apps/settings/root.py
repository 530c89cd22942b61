"""The whole of the settings, and what follows from them."""

from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from apps.settings import rules
from apps.settings.backtest import BacktestSettings
from apps.settings.greg import GregSettings, HedgeSettings
from apps.settings.harvest import HarvestSettings
from apps.settings.policy import CandidateSettings, PolicySettings
from apps.settings.risk import RiskSettings
from apps.settings.services import (
    DatabaseSettings,
    HealthSettings,
    LlmSettings,
    LoopSettings,
    ReconcileSettings,
    SyntheticSettings,
)
from apps.settings.venue import VenueSettings


class Settings(BaseSettings):
    """
    Every setting of the product, whole and free of contradictions.

    Built by `apps.settings.load.load`; building it directly reads neither the
    environment nor a file.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    venue: VenueSettings = VenueSettings()
    risk: RiskSettings = RiskSettings()
    candidates: CandidateSettings = CandidateSettings()
    policy: PolicySettings = PolicySettings()
    synthetic: SyntheticSettings = SyntheticSettings()
    llm: LlmSettings = LlmSettings()
    loop: LoopSettings = LoopSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    health: HealthSettings = HealthSettings()
    harvest: HarvestSettings = HarvestSettings()
    database: DatabaseSettings = DatabaseSettings()
    backtest: BacktestSettings = BacktestSettings()
    hedge: HedgeSettings = HedgeSettings()
    greg: GregSettings = GregSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `load` reads the sources, so that it can name them."""
        return (init_settings,)

    @model_validator(mode="after")
    def _without_contradictions(self) -> Self:
        faults = rules.broken(self)
        if faults:
            raise ValueError("\n".join(str(fault) for fault in faults))
        return self

    @property
    def is_research(self) -> bool:
        return self.venue.mode == "research"

    @property
    def is_testnet(self) -> bool:
        return self.venue.deribit_env == "testnet"

    @property
    def is_training_enabled(self) -> bool:
        return self.is_research and self.policy.training_mode

    @property
    def is_training_on_testnet(self) -> bool:
        return self.is_training_enabled and self.is_testnet

    @property
    def max_calls_per_underlying(self) -> int:
        """Short calls a coin may carry: the training count while training, else the live one."""
        if self.is_training_enabled:
            return self.policy.max_calls_per_underlying_training
        return self.policy.max_calls_per_underlying_live

    @property
    def effective_ivrv_min(self) -> float:
        family = self.candidates
        if self.is_research:
            return family.research_ivrv_min
        return family.ivrv_min

    @property
    def effective_delta_min(self) -> float:
        family = self.candidates
        if self.is_research:
            return family.research_delta_min
        return family.delta_min

    @property
    def effective_delta_max(self) -> float:
        family = self.candidates
        if self.is_research:
            return family.research_delta_max
        return family.delta_max

    @property
    def effective_dte_min(self) -> float:
        family = self.candidates
        if self.is_research:
            return family.research_dte_min
        return family.dte_min

    @property
    def effective_dte_max(self) -> float:
        family = self.candidates
        if self.is_research:
            return family.research_dte_max
        return family.dte_max

    @property
    def effective_max_expiry_exposure(self) -> float:
        """Coins short per coin and expiry."""
        limits = self.risk
        if self.is_research:
            return limits.research_max_expiry_exposure
        return limits.max_expiry_exposure

    @property
    def effective_quote_age_limit_sec(self) -> float:
        """Oldest option quote acted on, seconds."""
        limits = self.risk
        if self.is_research:
            return limits.quote_age_limit_sec
        return limits.quote_age_limit_production_sec

    @property
    def effective_explore_prob(self) -> float:
        """Probability of an exploratory choice: zero outside research."""
        return self.policy.explore_prob if self.is_research else 0.0
