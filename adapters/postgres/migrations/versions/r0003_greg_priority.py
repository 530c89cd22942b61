"""The priority of a suggestion, without which a change of it cannot be told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was written before has none."""
    op.add_column(
        "greg_decision_log",
        sa.Column("priority", sa.String(10), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("greg_decision_log", "priority")
