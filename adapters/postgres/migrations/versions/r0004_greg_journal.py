"""Which record of which journal a line is a copy of: so a copy can be carried on where it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE, _INDEX = "greg_decision_log", "ix_greg_decision_log_journal"


def upgrade() -> None:
    """Add the columns; what was written before is a copy of nothing."""
    op.add_column(_TABLE, sa.Column("journal", sa.String(64), nullable=False, server_default=""))
    op.add_column(
        _TABLE, sa.Column("journal_seq", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index(_INDEX, _TABLE, ["journal"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index(_INDEX, _TABLE)
    op.drop_column(_TABLE, "journal_seq")
    op.drop_column(_TABLE, "journal")
