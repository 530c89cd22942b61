"""Runs, their styles, metrics and trades, and the trials that were made."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables of backtests."""
    _make_runs()
    _make_styles()
    _make_trades()
    _make_trials()


def downgrade() -> None:
    """Drop them."""
    for name in ("trials", "trades", "metrics", "styles", "runs"):
        op.drop_table(f"backtest_{name}")


def _make_runs() -> None:
    op.create_table(
        "backtest_runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.String(20), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("start_at", _INSTANT, nullable=False),
        sa.Column("end_at", _INSTANT, nullable=False),
        sa.Column("interval_minutes", sa.Double(), nullable=False),
        sa.Column("exit_styles", sa.JSON(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("hashes", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_runs"),
        sa.UniqueConstraint("run_id", name="uq_backtest_runs_run_id"),
    )
    op.create_index("ix_backtest_runs_created_at", "backtest_runs", ["created_at"])
    op.create_index("ix_backtest_runs_underlying", "backtest_runs", ["underlying"])


def _make_styles() -> None:
    op.create_table(
        "backtest_styles",
        sa.Column("id", _ID, nullable=False),
        sa.Column("run", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("exit_style", sa.Text(), nullable=False),
        sa.Column("trades_hash", sa.Text(), nullable=False),
        sa.Column("omissions", sa.JSON(), nullable=False),
        sa.Column("equity", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_styles"),
        sa.ForeignKeyConstraint(
            ["run"], ["backtest_runs.id"], name="fk_backtest_styles_run", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("run", "exit_style", name="uq_backtest_styles_run"),
    )
    op.create_table(
        "backtest_metrics",
        sa.Column("id", _ID, nullable=False),
        sa.Column("style", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_metrics"),
        sa.ForeignKeyConstraint(
            ["style"], ["backtest_styles.id"], name="fk_backtest_metrics_style", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("style", "name", name="uq_backtest_metrics_style"),
    )
    op.create_index("ix_backtest_metrics_style", "backtest_metrics", ["style"])


def _make_trades() -> None:
    numbers = (
        "entry_index_usd",
        "exit_index_usd",
        "entry_coin",
        "exit_coin",
        "entry_mark_coin",
        "exit_mark_coin",
        "entry_delta",
        "entry_iv",
        "entry_dte",
        "entry_forward_usd",
        "fees_coin",
        "fees_usd",
        "pnl_coin",
        "pnl_usd",
        "favorable_coin",
        "adverse_coin",
        "margin_coin",
    )
    op.create_table(
        "backtest_trades",
        sa.Column("id", _ID, nullable=False),
        sa.Column("style", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("strategy_id", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT, nullable=False),
        sa.Column("entry_reason", sa.Text(), nullable=False),
        sa.Column("exit_reason", sa.String(20), nullable=False),
        *(sa.Column(name, sa.Double()) for name in numbers),
        sa.Column("settlement", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_trades"),
        sa.ForeignKeyConstraint(
            ["style"], ["backtest_styles.id"], name="fk_backtest_trades_style", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_backtest_trades_style", "backtest_trades", ["style"])


def _make_trials() -> None:
    op.create_table(
        "backtest_trials",
        sa.Column("id", _ID, nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("config_hash", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("sharpe", sa.Double()),
        sa.Column("periods", sa.Integer(), nullable=False),
        sa.Column("skew", sa.Double()),
        sa.Column("kurtosis", sa.Double()),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_trials"),
        sa.UniqueConstraint("family", "config_hash", name="uq_backtest_trials_family"),
    )
