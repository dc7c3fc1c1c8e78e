"""Run by Alembic: migrates on the connection it was given, in that one's transaction."""

from alembic import context

from agent.store.sql import schema

connection = context.config.attributes["connection"]
# The caller has begun a transaction, which SQLite keeps for changes of tables too: all of it, or nothing.
context.configure(
    connection=connection,
    target_metadata=schema.metadata,
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
