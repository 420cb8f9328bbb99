"""F7: replay of 10,000 decisions, half of them made before a rule and a model changed.

A Finer decides 5,000 payments with one model, gets another model and another rule, decides 5,000 more; then every one
is decided again by what the lake keeps of it.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from bench.support.bodies import START, Bodies, event_id
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.report import report
from finer.app.commands.common import OPERATOR, running_database, tenant_id
from finer.decisions.types.alerts import Action
from finer.fraud.service import replay, rules
from finer.fraud.types import RuleText
from finer.kit.db import Database
from finer.kit.settings import load_settings
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse
from tests.support.server import Server, serving

HALF, BODY = 5_000, 100
_WAIT_S = 240.0


def send(server: Server, supply: Bodies) -> list[str]:
    """Half of the payments; returns their event ids."""
    connection = Connection(server.port, server.api_key, "/api/v1/events/transaction")
    events = []
    for _ in range(HALF // BODY):
        first, body = supply.next()
        status, answer = connection.post(body)
        if status != 202:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
        events += [event_id(number) for number in range(first, first + BODY)]
    connection.close()
    return events


def change(database: Database, server: Server) -> None:
    """Another rule, and another model."""
    register_model(server, seed=12)
    with database.transaction(tenant_id(database, server.tenant), OPERATOR) as tx:
        text = RuleText(title="Round", condition="amount_minor % 500 = 0 and account.count_24h >= 1",
                        action=Action.REVIEW, reason="The amount is round.")  # fmt: skip
        draft = rules.create(tx, "round_amount", text, "")
        begun = rules.begin_price(tx, draft.id, 1, 30, 100).price
        if begun is None:
            raise RuntimeError("The rule cannot be priced.")
        rules.note_price(tx, draft.id, msgspec.structs.replace(begun, state="done", events=1000, hits=5))
        rules.execute_publication(tx, rules.publication(rules.to_shadow(tx, draft.id, 1, confirmed=True)))
    time.sleep(6)  # what is in force is read again every five seconds


def recorded(reader: warehouse.LakeReader, tenant: uuid.UUID, arguments: dict[str, Any]) -> pa.Table:
    """What the lake keeps of all payments, once it holds them. Raises TimeoutError when it does not."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(LakeEmpty):
            found = reader.read(tenant, replay.recorded_query(), arguments)
            if found.num_rows == 2 * HALF:
                return found
        time.sleep(0.5)
    raise TimeoutError(f"The lake does not hold all payments after {_WAIT_S:g} s.")


def main() -> None:
    """Decide, change, decide, replay."""
    supply = Bodies(BODY, seed=1)
    with serving() as server:
        settings = load_settings({}, data_dir=str(server.folder))
        with running_database(settings) as database:
            tenant = tenant_id(database, server.tenant)
            reader = warehouse.LakeReader(database.url, settings, threads=1)
            register_model(server)
            time.sleep(6)
            events = send(server, supply)
            change(database, server)
            events += send(server, supply)
            arguments = {"events": events, "since": START, "until": START.replace(year=START.year + 1)}
            table = recorded(reader, tenant, arguments)
            began = time.perf_counter()
            with database.transaction(tenant, OPERATOR, read_only=True) as tx:
                batch = table.combine_chunks().to_batches()[0]
                found = replay.replay(tx, batch, ZoneInfo("Asia/Manila"), whole=False)
            seconds = time.perf_counter() - began
            reader.close()
    deciders = {(one.rule_set, one.model) for one in found}
    figures = {
        "identical": sum(one.same for one in found) / (2 * HALF), "decisions": float(len(found)),
        "rule_sets": float(len({rule_set for rule_set, _ in deciders})),
        "models": float(len({model for _, model in deciders})), "seconds": seconds,
    }  # fmt: skip
    good = figures["identical"] == 1 and figures["rule_sets"] == 2 and figures["models"] == 2
    report("F7", figures, "100 % identical", good, settings={"payments": 2 * HALF})


if __name__ == "__main__":
    main()
