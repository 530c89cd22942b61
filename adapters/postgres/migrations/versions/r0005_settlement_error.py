"""The standard error of a delivery price as a number; it was told in words before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TRADES = sa.table(
    "backtest_trades",
    sa.column("id", sa.BigInteger),
    sa.column("settlement", sa.Text),
    sa.column("settlement_error_usd", sa.Double),
)
_WORDS, _UNIT = ", standard error ", " USD"


def upgrade() -> None:
    """Add the column, and read what the words of earlier trades say."""
    op.add_column("backtest_trades", sa.Column("settlement_error_usd", sa.Double()))
    connection = op.get_bind()
    connection.execute(sa.update(_TRADES).values(settlement_error_usd=0.0))
    told = sa.select(_TRADES.c.id, _TRADES.c.settlement).where(
        _TRADES.c.settlement.contains(_WORDS)
    )
    for number, settlement in connection.execute(told).all():
        source, _, error = settlement.partition(_WORDS)
        known = {"settlement": source, "settlement_error_usd": float(error.removesuffix(_UNIT))}
        connection.execute(sa.update(_TRADES).where(_TRADES.c.id == number).values(**known))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("backtest_trades", "settlement_error_usd")
