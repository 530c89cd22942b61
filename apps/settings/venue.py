"""Mode, venue, and the market that paper trading looks at."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from apps.settings.kinds import Allowed, BalanceByCoin, Coin, Coins, CountOrZero, Section

BASE_URLS = {"testnet": "https://test.deribit.com", "mainnet": "https://www.deribit.com"}


class VenueSettings(Section):
    """Where orders go, in whose name, and what is traded."""

    mode: Literal["research", "production"] = Field(
        "research",
        description="threshold family in use; only research explores",
    )
    deribit_env: Literal["testnet", "mainnet"] = Field(
        "testnet",
        description="venue; decides how strict the health guard and the live gates are",
    )
    deribit_base_url: Annotated[str | None, Allowed("an address of Deribit, or nothing")] = Field(
        None,
        description="REST root; follows deribit_env unless it names a paper exchange on loopback",
    )
    deribit_client_id: str = Field(
        "",
        description="API key name; empty means public data only",
    )
    deribit_client_secret: SecretStr = Field(
        SecretStr(""),
        description="API key secret; from the environment or a file of mode 0600",
    )
    env_mode: Literal["test", "live"] = Field(
        "test",
        description="dashboard view: test permits overrides of bot rules, live is read-only",
    )
    underlyings: Coins = Field(
        ("BTC", "ETH"),
        description="traded coins, in the order they are considered",
    )
    # Inverse, because the chains of BTC and ETH are coin-settled whatever a client asks
    # for; linear contracts live under currency USDC with names of their own.
    option_margin_type: Literal["linear", "inverse"] = Field(
        "inverse",
        description="contract family: inverse settles in the coin, linear in USDC",
    )
    option_settlement_ccy: Literal["BTC", "ETH", "USDC"] | None = Field(
        None,
        description="settlement currency; follows option_margin_type when not given",
    )
    market: Literal["synthetic", "replay"] = Field(
        "synthetic",
        description="market of the paper exchange: invented, or recorded days",
    )
    data_dir: Path = Field(
        Path("data"),
        description="folder of the journal, positions and harvested days; one process writes it",
    )
    seed: CountOrZero = Field(
        7,
        description="seed of every random draw; the same seed gives the same journal",
    )
    replay_data: Path | None = Field(
        None,
        description="folder of recorded days that market = replay plays",
    )
    replay_from: date | None = Field(
        None,
        description="first UTC day of the replay; the first recorded one when not given",
    )
    replay_to: date | None = Field(
        None,
        description="last UTC day of the replay; the last recorded one when not given",
    )
    paper_balances: BalanceByCoin = Field(
        {"BTC": 1.0, "ETH": 10.0},
        description="coins a paper account starts with; a coin that is not named starts empty",
    )

    @property
    def base_url(self) -> str:
        """REST root in use, without a final slash."""
        return (self.deribit_base_url or BASE_URLS[self.deribit_env]).rstrip("/")

    @property
    def has_credentials(self) -> bool:
        return bool(self.deribit_client_id and self.deribit_client_secret.get_secret_value())

    def settlement_ccy(self, underlying: Coin) -> str:
        """Currency in which options on *underlying* settle, and margin is asked for."""
        return "USDC" if self.option_margin_type == "linear" else underlying
