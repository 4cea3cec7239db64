"""What Alembic runs; the connection and the tables come from `shared.migrations`."""

from typing import Any

from alembic import context

from shared.messaging.tables import metadata as kit

config = context.config
connection = config.attributes["connection"]
own: Any = config.attributes["metadata"]
kit_tables = set(kit.tables)


def _is_own(object: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    return not (type_ == "table" and name in kit_tables) or object.metadata is kit


context.configure(
    connection=connection,
    target_metadata=[*own, kit] if config.attributes.get("whole") else own,
    include_object=_is_own,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
    user_module_prefix="shared.database.",
)
context.run_migrations()
