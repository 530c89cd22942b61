"""What a metric is called, where it stands in a report, and under which keys it is kept."""

from enum import StrEnum

from attrs import field, frozen


class Numeraire(StrEnum):
    """What is counted: coins, or USD at the index of each instant."""

    COIN = "coin"
    USD = "usd"


class Kind(StrEnum):
    """Which trades a figure is about: the columns of a report."""

    ALL = "all"
    CALLS = "calls"
    PUTS = "puts"


class Unit(StrEnum):
    """How a figure is read; a share is kept in percent, 12.5 is 12.5 %."""

    MONEY = "money"  # of the numeraire: a gain, or below zero a loss
    AMOUNT = "amount"  # of the numeraire: neither gain nor loss, or known by its name
    PERCENT = "percent"
    RATIO = "ratio"
    COUNT = "count"
    BARS = "bars"
    DAYS = "days"
    YEARS = "years"
    POINTS = "points"  # of volatility, 0.01 of iv
    PROBABILITY = "probability"  # 0 to 1


class Form(StrEnum):
    """How many figures stand under one name."""

    ONE = "one"
    BOTH = "both"  # one in coin, one in USD
    KINDS = "kinds"  # all, calls, puts
    BOTH_KINDS = "both kinds"


class Section(StrEnum):
    """A section of the report; those up to DRAWDOWNS are TradingView's."""

    RETURNS = "Performance: returns"
    BENCHMARK = "Performance: benchmark comparison"
    RISK_ADJUSTED = "Performance: risk-adjusted performance"
    TRADES = "Trades analysis: details"
    CAPITAL = "Capital efficiency: capital usage"
    MARGIN = "Capital efficiency: margin usage"
    RUN_UPS = "Run-ups"
    DRAWDOWNS = "Drawdowns"
    EQUITY = "Marked equity: daily returns"
    DELTA_BENCHMARK = "Delta-adjusted benchmark"
    OPTIONS = "Options: premium and campaigns"
    VOLATILITY = "Options: volatility and risk"
    ATTRIBUTION = "P&L attribution"
    INFERENCE = "Inference"


@frozen(kw_only=True)
class Metric:
    """
    One line of a report. *interval* says that bounds are kept beside the figure.

    >>> each = Metric(key="net_pnl", name="Net P&L", section=Section.RETURNS, unit=Unit.MONEY,
    ...     form=Form.BOTH_KINDS, definition="Sum.")
    >>> each.stored(Numeraire.USD, Kind.CALLS), each.stored(Numeraire.COIN)
    ('net_pnl_usd_calls', 'net_pnl_coin')
    """

    key: str
    name: str
    section: Section
    unit: Unit
    form: Form
    definition: str
    interval: bool = field(default=False)

    @property
    def numeraires(self) -> tuple[Numeraire | None, ...]:
        """Coin and USD, or None where the figure is the same in both."""
        return tuple(Numeraire) if self.form in (Form.BOTH, Form.BOTH_KINDS) else (None,)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The columns it has."""
        return tuple(Kind) if self.form in (Form.KINDS, Form.BOTH_KINDS) else (Kind.ALL,)

    def stored(self, numeraire: Numeraire | None = None, kind: Kind = Kind.ALL) -> str:
        """The key of one of its figures."""
        return stored_key(self.key, numeraire if self.numeraires != (None,) else None, kind)

    @property
    def stored_keys(self) -> tuple[str, ...]:
        """The keys of all its figures, bounds included."""
        keys = [self.stored(each, kind) for each in self.numeraires for kind in self.kinds]
        bounds = [f"{key}_{end}" for key in keys for end in ("low", "high")]
        return tuple(keys + bounds) if self.interval else tuple(keys)


def stored_key(key: str, numeraire: Numeraire | None, kind: Kind = Kind.ALL) -> str:
    """The key of a figure in *numeraire*, of trades of *kind*."""
    ending = "" if kind is Kind.ALL else f"_{kind}"
    return f"{key}{'' if numeraire is None else f'_{numeraire}'}{ending}"


def metrics_from(table: str) -> tuple[Metric, ...]:
    """
    Return the metrics of a *table*, one a line: key | name | unit | form | definition.

    A line in brackets begins a section; an indented line goes on with the one before it;
    "interval" behind the form says that bounds are kept.

    Raises:
        ValueError: A line does not say that.
    """
    found: list[Metric] = []
    section = Section.RETURNS
    for line in table.strip().replace("\n    ", " ").splitlines():
        if line.startswith("["):
            section = Section(line[1:-1])
        else:
            found.append(_metric(section, line))
    return tuple(found)


def _metric(section: Section, line: str) -> Metric:
    key, name, unit, form, definition = (part.strip() for part in line.split(" | "))
    return Metric(
        key=key,
        name=name,
        section=section,
        unit=Unit(unit),
        form=Form(form.removesuffix(" interval")),
        definition=definition,
        interval=form.endswith(" interval"),
    )
