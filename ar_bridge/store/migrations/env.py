"""How Alembic runs: always inside the write transaction of the store that called it."""

from alembic import context

from ar_bridge.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through ar_bridge.store.schema.upgrade only")
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
