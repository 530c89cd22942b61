"""At the venue's door: is it the one that the settings mean, and does it take our key?"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.deribit.client import DeribitClient
from apps.settings.faults import Fault, SettingsError
from apps.settings.root import Settings
from apps.wiring.exchange import market_name
from ports.clock import Clock
from ports.errors import Malformed, PortError, Refused, Unauthorised, Unavailable
from ports.trading import Trading


class _About(BaseModel):
    """What a paper exchange says of itself."""

    model_config = ConfigDict(strict=True)

    market: str
    clock: str
    coins: list[str]


def check_family(settings: Settings) -> None:
    """
    Return if *settings* want the options that are traded here.

    Raises:
        SettingsError: They want linear ones: inverse ones are not what was meant then.
    """
    family = settings.venue.option_margin_type
    if family != "inverse":
        fix = "leave it out: only inverse options are traded"
        raise _contradiction("venue.option_margin_type", family, "inverse, to trade", fix)


async def check_address(settings: Settings, client: DeribitClient) -> None:
    """
    Return if the venue is of the environment that *settings* mean, or does not answer now.

    Raises:
        SettingsError: It is of the other one.
    """
    try:
        await client.read("public/get_time")
    except Unauthorised as error:
        venue = settings.venue
        found = (
            f"{venue.base_url}, where another environment answers, or nobody is let in ({error})"
        )
        allowed = f"an address of {venue.deribit_env}, as venue.deribit_env says"
        raise _contradiction("venue.deribit_base_url", found, allowed, "") from error
    except (Unavailable, Malformed):
        return  # the agent's own start meets it again, and has rules for it


async def check_exchange(settings: Settings, client: DeribitClient) -> None:
    """
    Return if it is a paper exchange that answers, with the market and the time of *settings*.

    Raises:
        SettingsError: It is something else, or says nothing that makes sense.
    """
    venue = settings.venue
    told = await _about(settings, client)
    wanted = market_name(venue)
    if told.market != wanted:
        name = "venue.seed" if told.market.startswith(f"{venue.market}, ") else "venue.market"
        raise _contradiction(name, wanted, f"{told.market}, which {venue.base_url} serves", "")
    clock = "stepped" if venue.is_stepped else "real"
    if told.clock != clock:
        served = f"{told.clock}, the clock that {venue.base_url} is served with"
        raise _contradiction("venue.venue_clock", clock, served, "")
    missing = [coin for coin in venue.underlyings if coin not in told.coins]
    if missing:
        served = f"{', '.join(told.coins)}, which {venue.base_url} serves"
        raise _contradiction("venue.underlyings", ", ".join(missing), served, "")


def check_time(settings: Settings, clock: Clock, resume_at: datetime | None) -> None:
    """
    Return unless a book that is new would begin in the past of a stepped exchange.

    Raises:
        SettingsError: It would: what it decided then could not have been.
    """
    first = clock.next_tick(None)
    if resume_at is None and first is not None and clock.now() > first:
        stands = f"{clock.now():%Y-%m-%d %H:%M}, where {settings.venue.base_url} stands, or later"
        raise _contradiction("venue.replay_from", f"{first:%Y-%m-%d %H:%M}", stands, "")


async def check_key(settings: Settings, trading: Trading) -> None:
    """
    Return if the venue lets us read every account, or does not answer now.

    Raises:
        SettingsError: It does not take our key, or does not know a coin.
    """
    venue = settings.venue
    for coin in venue.underlyings:
        try:
            await trading.account(coin)
        except Unauthorised as error:
            raise _contradiction(
                "venue.deribit_client_id",
                f"a key, or a secret of it, that {venue.base_url} refuses ({error})",
                f"a key of {venue.deribit_env} with account and trade access",
                "keys of testnet and mainnet are separate; see venue.deribit_client_secret too",
            ) from error
        except Refused as error:
            found = f"{coin}, of which {venue.base_url} says {error}"
            raise _contradiction("venue.underlyings", found, "coins it trades", "") from error
        except (Unavailable, Malformed):
            return  # the agent's own start meets it again, and has rules for it


async def _about(settings: Settings, client: DeribitClient) -> _About:
    url = settings.venue.base_url
    try:
        answer = await client.read("paper/about")
        return _About.model_validate(answer.result)
    except (PortError, ValidationError) as error:
        found = f"{url}, where something answers that is no paper exchange ({error})"
        fix = "end what listens there, or name another port in venue.deribit_base_url"
        allowed = "a paper exchange, or a port that nobody serves"
        raise _contradiction("venue.deribit_base_url", found, allowed, fix) from error


def _contradiction(path: str, found: str, allowed: str, fix: str) -> SettingsError:
    return SettingsError((Fault(path, found, allowed, fix),))
