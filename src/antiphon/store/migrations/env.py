"""Alembic's entry: runs migrations on the connection that the catalogue hands over."""

from __future__ import annotations

from alembic import context

from antiphon.store.schema import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    # The caller's transaction holds all steps.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
