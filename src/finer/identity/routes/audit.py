"""HTTP of the audit trail."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import audit
from finer.identity.types import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx


class AuditController(Controller):
    """What was done, by whom."""

    path = "/api/v1/audit"
    tags = ["Audit"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.AUDIT_READ}, sync_to_thread=True, summary="The audit trail")
    def list(
        self, tx: Tx, limit: Annotated[int, Parameter(ge=1, le=500)] = 100, before: str | None = None
    ) -> dict[str, Any]:
        """Acts of people and machines, the newest first."""
        cursor: uuid.UUID | None = None if before is None else read_id("aud", before)
        found = audit.list_audit(tx, limit, cursor)
        items = [msgspec.to_builtins(entry) | {"id": show_id("aud", entry.id)} for entry in found]
        return {"items": items, "next": items[-1]["id"] if len(items) == limit else None}
