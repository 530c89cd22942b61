"""What Greg suggested and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXED = ("timestamp", "underlying", "strategy_type", "position_id")
_NUMBERS = (
    "vrp_30d",
    "chop_factor_7d",
    "adx_14d",
    "term_structure_spread",
    "skew_25d",
    "rsi_14d",
    "pnl_pct",
    "pnl_usd",
    "net_delta",
    "spot_price",
)


def upgrade() -> None:
    """Make the table of decisions."""
    op.create_table(
        "greg_decision_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("underlying", sa.String(10), nullable=False),
        sa.Column("strategy_type", sa.String(50), nullable=False),
        sa.Column("position_id", sa.String(100), nullable=False),
        sa.Column("action_type", sa.String(32), nullable=False),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("executed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double()) for name in _NUMBERS),
        sa.Column("order_ids", sa.Text(), nullable=False),
        sa.Column("extra_info", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_greg_decision_log"),
    )
    for name in _INDEXED:
        op.create_index(f"ix_greg_decision_log_{name}", "greg_decision_log", [name])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("greg_decision_log")
