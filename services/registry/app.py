"""registry as a value: wiring only."""

from __future__ import annotations

from pathlib import Path

from services.registry import api, handlers, imports, models
from shared.service import Service

service = Service(
    name="registry",
    title="Fenghe registry",
    title_zh="登记",
    summary="Communities, their taxonomy, organizations, service agreements and the menu of offers.",
    summary_zh="社区、服务分类、社会组织、服务协议和服务菜单。",
    routers=[api.router],
    handlers=[handlers.on],
    metadata=models.Table.metadata,
    group="registry",
    imports=imports.imports,
    migrations=Path(__file__).parent / "migrations",
)
