"""How alembic runs the migrations: on the connection it is handed, in one transaction."""

from alembic import context
from sqlalchemy import Connection

from adapters.postgres.tables import METADATA


def _migrate(connection: Connection) -> None:
    # SQLite can take back what a migration did, though alembic does not count on it.
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


_migrate(context.config.attributes["connection"])
