"""What Alembic runs; the connection and the tables come from `shared.migrations`."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from shared.database import JSON, UTCDateTime
from shared.messaging.tables import metadata as kit

config = context.config
connection = config.attributes["connection"]
own: Any = config.attributes["metadata"]
kit_tables = set(kit.tables)


def _is_own(object: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    return not (type_ == "table" and name in kit_tables) or object.metadata is kit


def _render(kind: str, object: Any, _: Any) -> str | Literal[False]:
    # Migrations name the types by the names the models know them by.
    if kind == "type" and isinstance(object, UTCDateTime):
        return "UTCDateTime()"
    if kind == "type" and object is JSON:
        return "JSON"
    if kind == "type" and isinstance(object, AutoString):
        return f"sa.String(length={object.length})" if object.length else "sa.String()"
    return False


context.configure(
    connection=connection,
    target_metadata=[*own, kit] if config.attributes.get("whole") else own,
    include_object=_is_own,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
    render_item=_render,
)
context.run_migrations()
