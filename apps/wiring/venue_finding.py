"""What `doctor` finds of the venue at the other end of the wire; nothing is started."""

from apps.settings.faults import SettingsError
from apps.settings.root import Settings
from apps.wiring.child import answers
from apps.wiring.deribit import Access, deribit_parts, public_client
from apps.wiring.entry import check_address, check_exchange, check_key
from apps.wiring.findings import Finding, fail, ok, warn
from ports.errors import PortError

_NAME = "venue"


async def venue_finding(settings: Settings) -> Finding:
    """Whether the venue that *settings* name answers, is the one meant, and takes our key."""
    try:
        return await _found(settings)
    except SettingsError as error:
        return fail(_NAME, str(error), "options-agent config explain KEY")
    except PortError as error:
        return fail(_NAME, f"{type(error).__name__}: {error}", "see venue.deribit_base_url")


async def _found(settings: Settings) -> Finding:
    venue = settings.venue
    if not (venue.is_exchange or venue.is_deribit):
        return ok(_NAME, "simulated, in this process")
    async with public_client(settings) as client:
        if not await answers(client):
            if venue.is_exchange:
                return ok(_NAME, f"nobody serves {venue.base_url}: a run starts the exchange")
            return fail(_NAME, f"{venue.base_url} does not answer", "see the network")
        await (check_exchange if venue.is_exchange else check_address)(settings, client)
    if not venue.key_id:
        return warn(_NAME, f"{venue.base_url} answers; there is no key", "see DERIBIT_CLIENT_ID")
    async with deribit_parts(settings, Access.READ) as parts:
        await check_key(settings, parts.trading)
    return ok(_NAME, f"{venue.base_url} answers and takes the key")
