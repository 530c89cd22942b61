"""Gates: may real orders leave at all? Every one must be open, and one is outside any page."""

from enum import StrEnum
from urllib.parse import urlsplit

from attrs import frozen


class VenueEnvironment(StrEnum):
    """Which of the venue's two worlds is meant."""

    TESTNET = "testnet"
    MAINNET = "mainnet"


HOSTS = {
    VenueEnvironment.TESTNET: "test.deribit.com",
    VenueEnvironment.MAINNET: "www.deribit.com",
}
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})  # the paper exchange: testnet and no other


@frozen
class VenueAddress:
    """Where requests go, and which environment that is meant to be."""

    environment: VenueEnvironment
    url: str

    @property
    def agrees(self) -> bool:
        """Whether the address is one of that environment; what cannot be read is not."""
        try:
            parts = urlsplit(self.url)
            host = parts.hostname
        except ValueError:
            return False
        if parts.scheme == "https" and host == HOSTS[self.environment]:
            return True
        is_testnet = self.environment is VenueEnvironment.TESTNET
        return is_testnet and parts.scheme == "http" and host in _LOOPBACK


@frozen(kw_only=True)
class GateState:
    """
    What the gates look at.

    *interlock* is what a person has put outside the program and its pages: the name of the
    environment in which real orders may go out.
    """

    address: VenueAddress
    has_credentials: bool
    is_production: bool  # mode
    is_dry_run: bool
    strategy_id: str
    enabled_strategies: tuple[str, ...]
    interlock: str


@frozen
class Gates:
    """Every reason why real orders may not go out; none at all is the only yes."""

    reasons: tuple[str, ...]

    @property
    def are_open(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def may_send_real_orders(state: GateState) -> Gates:
    """
    Whether orders of a strategy may go to a venue; all gates are asked, whatever the first says.

    Mainnet wants production mode and the interlock besides what testnet wants, and production
    wants the interlock wherever it is.
    """
    environment = state.address.environment
    is_mainnet = environment is VenueEnvironment.MAINNET
    needs_interlock = is_mainnet or state.is_production
    questions = (
        (not state.address.agrees, f"the address is not one of {environment}"),
        (not state.has_credentials, "there are no credentials"),
        (is_mainnet and not state.is_production, "mainnet trades in mode production only"),
        (state.is_dry_run, "dry run is on"),
        (
            state.strategy_id not in state.enabled_strategies,
            f"strategy {state.strategy_id} is not enabled",
        ),
        (
            needs_interlock and state.interlock != environment.value,
            f"the interlock does not say {environment}",
        ),
    )
    return Gates(tuple(reason for is_closed, reason in questions if is_closed))
