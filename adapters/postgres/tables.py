"""The tables: backtests with their trades and curves, tried configurations, Greg's decisions."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from adapters.postgres.columns import Instant, Number

# Names of constraints must not depend on the database: a migration drops them by name.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    # SQLite counts up by itself only in a column that is called INTEGER
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _run() -> Column[int]:
    return Column("run", ForeignKey("backtest_runs.id", ondelete="CASCADE"), nullable=False)


RUNS = Table(
    "backtest_runs",
    METADATA,
    _id(),
    Column("run_id", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False, index=True),
    Column("status", String(20), nullable=False),
    Column("strategy_id", Text, nullable=False),
    Column("underlying", String(20), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("interval_minutes", Number, nullable=False),
    Column("exit_styles", JSON, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("hashes", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("progress", Number, nullable=False),
    Column("error", Text, nullable=False),
    Column("notes", Text, nullable=False),
)

STYLES = Table(
    "backtest_styles",
    METADATA,
    _id(),
    _run(),
    Column("position", Integer, nullable=False),  # 0 is the primary style
    Column("exit_style", Text, nullable=False),
    Column("trades_hash", Text, nullable=False),
    Column("omissions", JSON, nullable=False),
    Column("equity", LargeBinary, nullable=False),  # an .npz of the curve's columns
    UniqueConstraint("run", "exit_style"),
)


def _style() -> Column[int]:
    return Column(
        "style", ForeignKey("backtest_styles.id", ondelete="CASCADE"), nullable=False, index=True
    )


METRICS = Table(
    "backtest_metrics",
    METADATA,
    _id(),
    _style(),
    Column("name", Text, nullable=False),
    Column("value", Number),
    UniqueConstraint("style", "name"),
)

TRADES = Table(
    "backtest_trades",
    METADATA,
    _id(),
    _style(),
    Column("number", Integer, nullable=False),
    Column("chain", Integer, nullable=False),
    Column("strategy_id", Text, nullable=False),
    Column("contract", Text, nullable=False),
    Column("amount", Number, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("entry_reason", Text, nullable=False),
    Column("exit_reason", String(20), nullable=False),
    Column("entry_index_usd", Number),
    Column("exit_index_usd", Number),
    Column("entry_coin", Number),
    Column("exit_coin", Number),
    Column("entry_mark_coin", Number),
    Column("exit_mark_coin", Number),
    Column("entry_delta", Number),
    Column("entry_iv", Number),
    Column("entry_dte", Number),
    Column("entry_forward_usd", Number),
    Column("fees_coin", Number),
    Column("fees_usd", Number),
    Column("pnl_coin", Number),
    Column("pnl_usd", Number),
    Column("favorable_coin", Number),
    Column("adverse_coin", Number),
    Column("margin_coin", Number),
    Column("settlement", Text, nullable=False),
    Column("settlement_error_usd", Number),
)

# Not bound to a run: a deleted run was tried all the same.
TRIALS = Table(
    "backtest_trials",
    METADATA,
    _id(),
    Column("family", Text, nullable=False),
    Column("config_hash", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("sharpe", Number),
    Column("periods", Integer, nullable=False),
    Column("skew", Number),
    Column("kurtosis", Number),
    Column("run_id", Text, nullable=False),
    UniqueConstraint("family", "config_hash"),
)

GREG_DECISIONS = Table(
    "greg_decision_log",
    METADATA,
    _id(),
    Column("timestamp", Instant, nullable=False, index=True),
    Column("underlying", String(10), nullable=False, index=True),
    Column("strategy_type", String(50), nullable=False, index=True),
    Column("position_id", String(100), nullable=False, index=True),
    Column("action_type", String(32), nullable=False),
    Column("mode", String(20), nullable=False),
    Column("suggested", Boolean, nullable=False),
    Column("executed", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("vrp_30d", Number),
    Column("chop_factor_7d", Number),
    Column("adx_14d", Number),
    Column("term_structure_spread", Number),
    Column("skew_25d", Number),
    Column("rsi_14d", Number),
    Column("pnl_pct", Number),
    Column("pnl_usd", Number),
    Column("net_delta", Number),
    Column("spot_price", Number),
    Column("order_ids", Text, nullable=False),  # a JSON list
    Column("extra_info", Text, nullable=False),  # a JSON object
    Column("priority", String(10), nullable=False, server_default=""),  # of the suggestion
    Column("journal", String(64), nullable=False, server_default="", index=True),
    Column("journal_seq", BigInteger, nullable=False, server_default="0"),
)
