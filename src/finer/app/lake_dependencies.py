"""What routes of domains below the lake are handed to ask it with."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from litestar import Request
from litestar.di import Provide

from finer.decisions.service.lake_history import ReadLake
from finer.decisions.types.alerts import Alert, TimelineEvent
from finer.fraud.service import performance
from finer.identity.types.access import Principal
from finer.kit.db import Database
from finer.kit.tx import Tx
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse


def lake_dependencies(database: Database, lake: warehouse.LakeReader) -> dict[str, Provide]:
    """By the name that routes ask for them with."""

    def account_timeline(alert_tx: Tx, alert: Alert) -> list[TimelineEvent]:
        if alert.account_id is None:
            return []
        return lake.account_timeline(alert_tx.tenant, alert.account_id, alert.occurred_at, alert.event_id)

    def lake_of(lake_tx: Tx) -> ReadLake:
        def read(statement: str, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
            try:
                rows: list[dict[str, Any]] = lake.read(lake_tx.tenant, statement, dict(arguments)).to_pylist()
            except LakeEmpty:
                return []
            return rows

        return read

    def read_lake(tenant: uuid.UUID, statement: str, arguments: dict[str, Any]) -> list[dict[str, Any]] | None:
        try:
            rows: list[dict[str, Any]] = lake.read(tenant, statement, arguments).to_pylist()
        except LakeEmpty:
            return None
        return rows

    def asked(request: Request[Principal, Any, Any]) -> performance.Asked:
        who = request.user
        with database.transaction(who.tenant_id, who.actor(), read_only=True) as tx:
            return performance.asked_of(tx)

    def briefly(request: Request[Principal, Any, Any]) -> Callable[[Callable[[Tx], Any]], Any]:
        who = request.user

        def act(what: Callable[[Tx], Any]) -> Any:
            with database.transaction(who.tenant_id, who.actor(), read_only=True) as tx:
                return what(tx)

        return act

    def contract_sample(sample_tx: Tx, contract: str) -> list[dict[str, Any]]:
        return lake.newest(sample_tx.tenant, contract)

    def constant(value: Any) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return {
        "account_timeline": constant(account_timeline),
        "lake_of": constant(lake_of),
        "read_lake": constant(read_lake),
        "contract_sample": constant(contract_sample),
        # Of routes that have no transaction: what they ask of the lake may take a while, and none is to wait for it.
        "briefly": Provide(briefly, sync_to_thread=False),
        "asked": Provide(asked, sync_to_thread=True),
    }
