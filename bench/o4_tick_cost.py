"""O4: what a tick of a dashboard costs to compute at 10 and at 1,000 viewers of one scope.

The ratio is of the CPU that computing takes: queries, tiles and their encoding, in the thread that does it. What the
whole process takes for a tick, handing the change to every viewer included, stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Mapping

import msgspec

from bench.load.client import Browser, Call
from bench.load.mix import order_lines
from bench.support.report import median, report
from finer.app.board_routes import compute_board
from finer.app.boards import Boards, Scope
from finer.app.commands.common import running_database, tenant_id
from finer.kit.db import Database
from finer.kit.settings import load_settings
from tests.support.server import Server, serving

FEW, MANY = 10, 1000
_LINES, _BODIES = 100, 40


async def _yes() -> bool:
    return True


async def _count(stream: AsyncIterator[bytes], seen: list[int], place: int) -> None:
    async for message in stream:
        seen[place] += message.startswith(b"id: ")


async def ticks(database: Database, firm: uuid.UUID, viewers: int, count: int) -> tuple[float, float]:
    """CPU milliseconds of computing a tick, and of the whole process for it; medians of `count` ticks."""
    computing: list[float] = []

    def compute(scope: Scope) -> Mapping[str, msgspec.Raw]:
        began = time.thread_time()
        found = compute_board(database, scope)
        computing.append((time.thread_time() - began) * 1000)
        return found

    boards = Boards(compute, tick_s=0)
    boards.start()
    scope, seen = Scope(tenant=firm, board="orders", sees=("finance:read",), span="24h"), [0] * viewers
    watching = [asyncio.create_task(_count(boards.stream(scope, "", _yes), seen, place)) for place in range(viewers)]
    whole: list[float] = []
    for tick in range(count + 1):
        while min(seen) < tick + 1:  # noqa: ASYNC110 - what is waited for is what all the viewers have
            await asyncio.sleep(0.001)
        began = time.process_time()
        boards.mark(str(firm))
        while min(seen) < tick + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        whole.append((time.process_time() - began) * 1000)
    boards.end()
    await asyncio.gather(*watching)
    await boards.close()
    return median(computing[1:]), median(whole[1:])


def fill(server: Server) -> None:
    """A day's worth of orders."""
    browser, chance = Browser(server.port), random.Random(3)
    headers = f"authorization: Bearer {server.api_key}\r\ncontent-type: application/x-ndjson\r\n"
    for number in range(_BODIES):
        body = order_lines(f"o4-{number}", chance, _LINES)
        answer = browser.ask(Call("fill", "POST", "/api/v1/events/order", headers, body))
        if answer.status != 202:
            raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
    time.sleep(3)


def main() -> None:
    """Measure in turn, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {FEW: [], MANY: []}
    with serving() as server:
        fill(server)
        with running_database(load_settings({}, data_dir=str(server.folder))) as database:
            firm = tenant_id(database, server.tenant)
            for _ in range(arguments.runs):
                for viewers, runs in found.items():
                    runs.append(asyncio.run(ticks(database, firm, viewers, arguments.ticks)))
    few, many = (median([computing for computing, _ in found[viewers]]) for viewers in (FEW, MANY))
    whole_few, whole_many = (median([whole for _, whole in found[viewers]]) for viewers in (FEW, MANY))
    figures = {
        "ratio": many / few, "compute_ms_10": few, "compute_ms_1000": many, "whole_tick_ms_10": whole_few,
        "whole_tick_ms_1000": whole_many, "us_per_viewer": (whole_many - whole_few) / (MANY - FEW) * 1000,
    }  # fmt: skip
    settings = {"ticks": arguments.ticks, "runs": arguments.runs, "orders": _LINES * _BODIES}
    report("O4", figures, "ratio <= 1.1", figures["ratio"] <= 1.1, settings=settings)


if __name__ == "__main__":
    main()
