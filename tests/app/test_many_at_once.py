"""Many requests at the same moment, with few connections to the database: every one is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from finer.app.api import create_app
from finer.identity.types.access import Role
from finer.kit.settings import Settings
from tests.support.identity import PASSWORD, Firm

REQUESTS = 60
pytestmark = pytest.mark.anyio


async def test_requests_of_the_same_moment_do_not_wait_for_each_other_for_ever(
    firm: Firm, settings: Settings, database_url: str, data_path: Path
) -> None:
    """Each needs several turns on a thread and holds a connection in between. The pool has fewer connections than
    there are threads, so all could come to wait for what only the others can give."""
    user = firm.user(role=Role.ADMINISTRATOR)
    few = msgspec.structs.replace(
        settings, database_url=database_url, data_dir=str(data_path), database_pool_connections=3
    )
    app = create_app(few)
    transport = httpx.ASGITransport(app=cast(Any, app))
    headers = {"X-Requested-With": "finer"}
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://finer.test", headers=headers) as client,
    ):
        signed_in = await client.post("/api/v1/session", json={"email": user.email, "password": PASSWORD})
        assert signed_in.status_code == 200

        async def ask(number: int) -> int:
            if number % 2:
                return (await client.get("/api/v1/teams")).status_code
            key = {"Idempotency-Key": f"team-{number}"}
            return (await client.post("/api/v1/teams", json={"name": f"Team {number}"}, headers=key)).status_code

        statuses = await asyncio.gather(*map(ask, range(REQUESTS)))
    assert statuses == [201, 200] * (REQUESTS // 2)
