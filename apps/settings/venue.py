"""Mode, venue, and the market that paper trading looks at."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from apps.settings.kinds import Allowed, BalanceByCoin, Coin, Coins, CountOrZero, Section

BASE_URLS = {"testnet": "https://test.deribit.com", "mainnet": "https://www.deribit.com"}
PAPER_ID, PAPER_SECRET = "paper", "paper-secret"  # it guards paper money on loopback
PAPER_EXCHANGE_URL = "http://127.0.0.1:8088"  # where `exchange serve` listens unless told


class VenueSettings(Section):
    """Where orders go, in whose name, and what is traded."""

    mode: Literal["research", "production"] = Field(
        "research",
        description="threshold family in use; only research explores",
    )
    venue_kind: Literal["paper", "exchange", "deribit"] = Field(
        "paper",
        description="who takes orders: a venue in this process, the paper exchange, or Deribit",
    )
    deribit_env: Literal["testnet", "mainnet"] = Field(
        "testnet",
        description="venue; decides how strict the health guard and the live gates are",
    )
    deribit_base_url: Annotated[str | None, Allowed("an address of Deribit, or nothing")] = Field(
        None,
        description="REST root; follows venue_kind and deribit_env unless it names a loopback port",
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
    market: Literal["synthetic", "universe", "replay"] = Field(
        "synthetic",
        description="market of the paper exchange: invented, fitted to history, or recorded days",
    )
    universe_model: Path | None = Field(
        None,
        description="file of `universe fit` that market = universe plays; the shipped one if none",
    )
    data_dir: Path = Field(
        Path("data"),
        description="folder of the journal, positions and harvested days; one process writes it",
    )
    seed: CountOrZero = Field(
        7,
        description="seed of every random draw; the same seed gives the same journal",
    )
    deribit_transport: Literal["http", "websocket"] = Field(
        "http",
        description="how the venue is spoken to; by websocket it cancels our orders when we vanish",
    )
    venue_clock: Literal["real", "stepped"] = Field(
        "real",
        description="time of a paper market: this computer's, or from tick to tick without waiting",
    )
    replay_data: Path | None = Field(
        None,
        description="folder of recorded days that market = replay plays",
    )
    replay_from: date | None = Field(
        None,
        description="first UTC day of a replay, or of a stepped clock; of a recording the first",
    )
    replay_to: date | None = Field(
        None,
        description="last UTC day of a replay, or of a stepped clock; of a recording the last",
    )
    paper_balances: BalanceByCoin = Field(
        {"BTC": 1.0, "ETH": 10.0},
        description="coins a paper account starts with; a coin that is not named starts empty",
    )

    @property
    def base_url(self) -> str:
        """REST root in use, without a final slash."""
        usual = PAPER_EXCHANGE_URL if self.is_exchange else BASE_URLS[self.deribit_env]
        return (self.deribit_base_url or usual).rstrip("/")

    @property
    def is_exchange(self) -> bool:
        """Whether orders go to the paper exchange, over the wire."""
        return self.venue_kind == "exchange"

    @property
    def is_deribit(self) -> bool:
        """Whether the market, and behind every gate the orders, are Deribit's."""
        return self.venue_kind == "deribit"

    @property
    def is_stepped(self) -> bool:
        """Whether time passes from tick to tick and is not ours: a replay always does so."""
        return not self.is_deribit and (self.market == "replay" or self.venue_clock == "stepped")

    @property
    def has_credentials(self) -> bool:
        return bool(self.deribit_client_id and self.deribit_client_secret.get_secret_value())

    @property
    def key_id(self) -> str:
        """Name of the key in use: the paper exchange has one that everybody knows."""
        is_paper = self.is_exchange and not self.has_credentials
        return PAPER_ID if is_paper else self.deribit_client_id

    @property
    def key_secret(self) -> SecretStr:
        """Secret of the key in use."""
        is_paper = self.is_exchange and not self.has_credentials
        return SecretStr(PAPER_SECRET) if is_paper else self.deribit_client_secret

    def settlement_ccy(self, underlying: Coin) -> str:
        """Currency in which options on *underlying* settle, and margin is asked for."""
        return "USDC" if self.option_margin_type == "linear" else underlying
