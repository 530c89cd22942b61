"""Every metric of a run, in the order of the report: the one table of names and sections."""

from core.backtest.names import Metric, Section
from core.backtest.names_account import ACCOUNT
from core.backtest.names_option import OPTION
from core.backtest.names_tradingview import TRADINGVIEW

METRICS: tuple[Metric, ...] = (*TRADINGVIEW, *ACCOUNT, *OPTION)
METRIC = {each.key: each for each in METRICS}
STORED_KEYS = tuple(key for each in METRICS for key in each.stored_keys)


def of_section(section: Section) -> tuple[Metric, ...]:
    """The metrics of *section*, in order."""
    return tuple(each for each in METRICS if each.section is section)
