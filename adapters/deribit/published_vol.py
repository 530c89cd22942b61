"""DeribitPublishedVol: the realised volatility that the venue publishes, about sixteen days."""

from typing import Annotated

import numpy as np
from attrs import frozen
from pydantic import Field, TypeAdapter, ValidationError

from adapters.deribit.client import DeribitClient
from adapters.deribit.models import Milliseconds, Quoted
from adapters.deribit.parse import COINS
from ports.errors import Malformed, Unavailable
from ports.vol_history import PublishedSeries

_Row = Annotated[tuple[Milliseconds, Quoted], Field(strict=False)]
_ROWS: TypeAdapter[list[_Row]] = TypeAdapter(list[_Row])


@frozen(eq=False)
class DeribitPublishedVol:
    """PublishedVol by the venue's public methods."""

    client: DeribitClient

    async def published_series(self, coin: str) -> PublishedSeries:
        """See PublishedVol; Malformed if the answer is no list of instants and figures."""
        if coin not in COINS:
            raise Unavailable(f"the venue publishes no volatility of {coin}")
        answer = await self.client.read("public/get_historical_volatility", currency=coin)
        try:
            rows = _ROWS.validate_python(answer.result)
        except ValidationError as error:
            raise Malformed(f"{answer.method}: not a list of instants and figures") from error
        at_ms, first = np.unique(np.array([row[0] for row in rows], np.int64), return_index=True)
        return PublishedSeries(at_ms, np.array([row[1] for row in rows], np.float64)[first])
