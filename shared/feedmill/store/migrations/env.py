"""Alembic's hook: run the migrations on the connection `migrate` hands over."""

from alembic import context

from feedmill.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
