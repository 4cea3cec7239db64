"""registry as a value: wiring only."""

from __future__ import annotations

from pathlib import Path

from services.registry import api, handlers, imports, models
from shared.service import Service

service = Service(
    name="registry",
    title="Fenghe registry",
    title_zh="登记",
    summary="Communities, their taxonomy, organizations from incubation to leaving, service agreements, the menu, activities.",
    summary_zh="社区、服务分类、社会组织的孵化与登记、服务协议、服务菜单和活动。",
    routers=api.routers,
    handlers=[handlers.on],
    timers=[handlers.timers],
    metadata=models.Table.metadata,
    group="registry",
    imports=imports.imports,
    migrations=Path(__file__).parent / "migrations",
)
