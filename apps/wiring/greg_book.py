"""Greg's open positions in the book of the settings, with the market they are judged by."""

from collections.abc import Sequence

from attrs import evolve, field, frozen

from apps.settings.root import Settings
from apps.wiring.book import place_of
from apps.wiring.greg import Recordings, sensor_place
from apps.wiring.greg_params import (
    band_rule,
    funding_convention,
    greg_environment,
    guards_in_use,
    hedge_rules_in_use,
    hedge_terms,
    mode_state,
    position_variants,
)
from apps.wiring.greg_rules import GregRules
from apps.wiring.inspection import inspected_desk
from core.analysis.greg_view import (
    AdviceTerms,
    HedgeView,
    PositionView,
    hedge_view,
    position_view,
)
from core.greg.bands import BandRule, band_of
from core.greg.entry_variants import step_held
from core.greg.hedge_needs import HedgeSight
from core.greg.hedging import HEDGEABLE
from core.greg.holdings import Holding, band_inputs, holding_of
from core.greg.management import HedgeRule
from core.greg.reading import EntryReading, entry_reading
from core.usecases.desk import Desk
from ports.errors import PortError
from ports.market_data import MarketSnapshot
from ports.trading import Account


@frozen(eq=False, kw_only=True)
class GregBook:
    """
    The open positions of Greg's, sandbox included; of each coin they are on a snapshot, and what
    the entry engine says of it now, with the account where a guard in use looks at it.
    """

    holdings: tuple[Holding, ...]
    snapshots: dict[str, MarketSnapshot]
    readings: dict[str, EntryReading]
    accounts: dict[str, Account | None] = field(factory=dict)


async def greg_book(settings: Settings, rules: GregRules) -> GregBook:
    """
    The positions in the book of *settings*; none where there is no book yet.

    Raises:
        SettingsError: The venue contradicts a setting, or a variant of sensors is not known.

        PortError: Book, recording or venue cannot be read.
    """
    async with inspected_desk(settings, place_of(settings)) as desk:
        open_now = desk.keeper.book.open_positions(includes_sandbox=True)
        found = [holding for each in open_now if (holding := holding_of(each)) is not None]
        coins = sorted({each.underlying for each in found})
        snapshots = {coin: await desk.world.market.snapshot(coin) for coin in coins}
        asked = coins if advice_terms(settings, rules).asks_health else []
        accounts = {coin: await _account(desk, coin) for coin in asked}
    return GregBook(
        holdings=tuple(found),
        snapshots=snapshots,
        readings=await _readings(settings, rules, snapshots, found),
        accounts=accounts,
    )


async def _account(desk: Desk, coin: str) -> Account | None:
    """The account in *coin*; None, of unknown health, where it cannot be read."""
    try:
        return await desk.world.trading.account(coin)
    except PortError:
        return None


async def _readings(
    settings: Settings,
    rules: GregRules,
    snapshots: dict[str, MarketSnapshot],
    held: Sequence[Holding],
) -> dict[str, EntryReading]:
    if not snapshots:
        return {}
    seen_at = max(each.taken_at for each in snapshots.values())
    at = seen_at if settings.venue.is_stepped else None
    async with sensor_place(settings, Recordings(), at) as place:
        return {
            coin: entry_reading(
                await place.reader.read(coin, place.clock.now()),
                rules.entry,
                step_held(
                    each.code for each in held if each.underlying == coin and not each.sandbox
                ),
            )
            for coin in snapshots
        }


def advice_terms(settings: Settings, rules: GregRules) -> AdviceTerms:
    """
    What advice is given by.

    Raises:
        SettingsError: There is no guard or variant of a name.
    """
    return AdviceTerms(
        rules=rules.position,
        convention=funding_convention(settings),
        guards=guards_in_use(settings),
        mode=mode_state(settings).mode,
        environment=greg_environment(settings),
        variants=position_variants(settings),
    )


def position_views(settings: Settings, rules: GregRules, book: GregBook) -> list[PositionView]:
    """
    Every position with its advice, the most urgent first.

    Raises:
        SettingsError: There is no guard of a name.
    """
    terms = advice_terms(settings, rules)
    found = (_view(each, book, terms) for each in book.holdings)
    return sorted(
        (view for view in found if view is not None),
        key=lambda view: view.suggestion.priority.rank,
    )


def _view(holding: Holding, book: GregBook, terms: AdviceTerms) -> PositionView | None:
    """*holding* beside what the entry engine says of its coin."""
    reading = book.readings[holding.underlying]
    return position_view(
        holding,
        book.snapshots[holding.underlying],
        terms,
        selected=reading.selection.strategy,
        funding=reading.bundle.sensors.predicted_funding_rate,
        market=reading.bundle.market,
        account=book.accounts.get(holding.underlying),
    )


def hedge_views(settings: Settings, rules: GregRules, book: GregBook) -> list[HedgeView]:
    """Every position that may be hedged, with the order it would need."""
    terms = hedge_terms(settings, rules.position)
    sights = {
        coin: HedgeSight(
            held=book.holdings,
            snapshot=snapshot,
            rule_of=lambda holding, seen: hedge_rule_for(settings, rules, holding, seen),
            terms=terms,
            now=snapshot.taken_at,
        )
        for coin, snapshot in book.snapshots.items()
    }
    return [
        hedge_view(each, sights[each.underlying])
        for each in book.holdings
        if each.code in HEDGEABLE
    ]


def hedge_rule_for(
    settings: Settings, rules: GregRules, holding: Holding, seen: MarketSnapshot
) -> HedgeRule:
    """The rule of the document, with the band that *settings* have worked out for *holding*."""
    rule = hedge_rules_in_use(settings, rules.position)[holding.code]
    chosen, hedge = band_rule(settings), settings.hedge
    inputs = band_inputs(
        holding, seen, seen.taken_at, cost=hedge.hedge_cost, aversion=hedge.hedge_risk_aversion
    )
    if chosen is BandRule.FIXED or inputs is None:
        return rule
    return evolve(rule, band=band_of(chosen, inputs, rule.band).half_width)
