# mypy: ignore-errors
# A peer's side, written as its users write it; its packages are not installed here.
"""Workload W2: an ingest API as it is often built: FastAPI, a pydantic model of every record, COPY by asyncpg.

python w2_fastapi.py DATABASE_URL PORT     serves POST /events (a JSON array of transactions); prints "ready"
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

URL, PORT = sys.argv[1], int(sys.argv[2])
Text = Annotated[str, Field(min_length=1, max_length=200)]
app = FastAPI()


class Event(BaseModel):
    """The 13 fields of a transaction."""

    event_id: Text
    type: Literal["purchase", "refund", "withdrawal", "transfer"]
    occurred_at: datetime
    customer_id: Text
    account_id: Text
    card_last4: Annotated[str, Field(pattern=r"^\d{4}$")]
    amount: Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    merchant_name: Text
    merchant_city: Text
    merchant_country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    mcc: Annotated[str, Field(pattern=r"^\d{4}$")]
    channel: Literal["pos", "web", "app", "atm"]


FIELDS = tuple(Event.model_fields)


@app.post("/events", status_code=202)
async def take(events: list[Event]):
    """Check all, store all; nothing is decided, counted or shown."""
    records = [tuple(getattr(event, name) for name in FIELDS) for event in events]
    async with app.state.pool.acquire() as connection:
        await connection.copy_records_to_table("events", records=records, columns=FIELDS)
    return {"accepted": len(records)}


async def main():
    """Make the table, then serve."""
    async with asyncpg.create_pool(URL, min_size=4, max_size=10) as pool:
        columns = ", ".join(
            f"{name} {'timestamptz' if name == 'occurred_at' else 'numeric' if name == 'amount' else 'text'} not null"
            for name in FIELDS
        )
        await pool.execute(f"drop table if exists events; create table events ({columns}, primary key (event_id))")
        app.state.pool = pool
        server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="warning"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.05)
        print("ready", flush=True)
        await serving


asyncio.run(main())
