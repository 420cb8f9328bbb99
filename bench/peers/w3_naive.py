# mypy: ignore-errors
# A peer's side, written as its users write it; its packages are not installed here.
"""Workload W3: a dashboard of orders as it is often built: six aggregate queries for every request, FastAPI, asyncpg.

python w3_naive.py DATABASE_URL PORT ORDERS     makes the orders, then serves /dashboard; prints "ready"
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import uvicorn
from fastapi import FastAPI

URL, PORT, ORDERS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
MAKE = f"""
drop table if exists orders;
select setseed(0.5);
create table orders as
select n as id, 'c' || floor(random() * 50000) as customer_id, 'p' || floor(random() * 200) as product_id,
       (array['North', 'South', 'East', 'West'])[1 + floor(random() * 4)] as region,
       (array['web', 'app', 'branch'])[1 + floor(random() * 3)] as channel,
       (array['placed', 'paid', 'shipped', 'delivered'])[1 + floor(random() * 4)] as status,
       round((random() * 200)::numeric, 2) as amount, now() - random() * interval '90 days' as placed_at
from generate_series(1, {ORDERS}) n;
create index on orders (placed_at);
create index on orders (customer_id);
create index on orders (product_id);
analyze orders;
"""
QUERIES = {
    "totals": "select count(*), sum(amount), count(distinct customer_id) from orders "
    "where placed_at > now() - interval '30 days'",
    "by_day": "select date_trunc('day', placed_at) as at, count(*), sum(amount) from orders "
    "where placed_at > now() - interval '90 days' group by 1 order by 1",
    "by_region": "select region, count(*), sum(amount) from orders group by 1 order by 3 desc",
    "by_status": "select status, channel, count(*), sum(amount) from orders group by 1, 2",
    "products": "select product_id, sum(amount) from orders where placed_at > now() - interval '90 days' "
    "group by 1 order by 2 desc limit 10",
    "customers": "select customer_id, sum(amount) from orders where placed_at > now() - interval '90 days' "
    "group by 1 order by 2 desc limit 10",
}
app = FastAPI()


@app.get("/dashboard")
async def dashboard():
    """All six, one after another, on one connection of the pool."""
    async with app.state.pool.acquire() as connection:
        return {name: [dict(row) for row in await connection.fetch(query)] for name, query in QUERIES.items()}


async def main():
    """Make the orders, then serve."""
    async with asyncpg.create_pool(URL, min_size=10, max_size=10) as pool:
        await pool.execute(MAKE)
        app.state.pool = pool
        server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="warning"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.05)
        print("ready", flush=True)
        await serving


asyncio.run(main())
