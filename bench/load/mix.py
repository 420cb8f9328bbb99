"""The mix of O3 and O6: 70 % reads, 20 % writes, 5 % sign-ins, 5 % decisions, by people of six roles and machines."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.load.arrivals import Journey
from bench.load.client import Call
from bench.load.people import AGENT, Person
from bench.support.bodies import Bodies
from finer.identity.types.access import Role
from tests.support.identity import PASSWORD

SHARES = {"read": 0.70, "write": 0.20, "sign-in": 0.05, "decision": 0.05}
_READS = {
    Role.RISK_ANALYST: ("/api/v1/alerts?limit=50", "/api/v1/cases", "/api/v1/pipeline"),
    Role.EXECUTIVE: ("/api/v1/operations/finance", "/api/v1/operations/orders", "/api/v1/pipeline"),
    Role.MARKETING_MANAGER: ("/api/v1/operations/orders", "/api/v1/sql/saved"),
    Role.DATA_ENGINEER: ("/api/v1/pipeline", "/api/v1/sql/saved", "/api/v1/me"),
    Role.CREDIT_OFFICER: ("/api/v1/sql/saved", "/api/v1/notifications"),
    Role.AUDITOR: ("/api/v1/alerts?limit=50", "/api/v1/operations/finance?span=7d"),
}
_ANYBODY = ("/api/v1/me", "/api/v1/notifications", "/api/v1/notifications/unread")
ROLES = tuple(_READS)
RECORDS = 20
"""Records of a body that a machine sends; half of the writes are such bodies, half are marks and notes of people."""
_JSON = "content-type: application/json\r\n"


class Mix:
    """Makes arrivals. `can_sign_in` have the password that all share."""

    def __init__(self, people: Sequence[Person], can_sign_in: Sequence[Person], api_key: str, seed: int = 1) -> None:
        self._people, self._can_sign_in = people, can_sign_in
        self._machine = f"authorization: Bearer {api_key}\r\n"
        self._bodies, self._single = Bodies(RECORDS, seed=seed), Bodies(1, seed=seed + 1)
        self._orders = 0
        self._seed = seed

    @property
    def order_lines_sent(self) -> int:
        """Lines of orders in the bodies that were made."""
        return self._orders * RECORDS

    def __call__(self, chance: random.Random) -> Journey:
        """One arrival."""
        (kind,) = chance.choices(tuple(SHARES), tuple(SHARES.values()))
        if kind == "read":
            person = chance.choice(self._people)
            path = chance.choice((*_READS[person.role], chance.choice(_ANYBODY)))
            return [Call("read", "GET", path, person.cookie + "accept-encoding: gzip\r\n")]
        if kind == "write":
            return [self._write(chance)]
        if kind == "sign-in":
            body = json.dumps({"email": chance.choice(self._can_sign_in).email, "password": PASSWORD}).encode()
            return [Call("sign-in", "POST", "/api/v1/session", f"{_JSON}user-agent: {AGENT}\r\n", body, (200, 201))]
        _, body = self._single.next()
        return [Call("decision", "POST", "/api/v1/decisions", self._machine + _JSON, body)]

    def _write(self, chance: random.Random) -> Call:
        repeatable = f"idempotency-key: {uuid.UUID(int=chance.getrandbits(128))}\r\n"
        choice = chance.random()
        if choice < 0.25:
            headers = f"{self._machine}content-type: application/x-ndjson\r\n"
            return Call("write", "POST", "/api/v1/events/transaction", headers, self._bodies.next()[1], (202,))
        if choice < 0.5:
            headers = f"{self._machine}content-type: application/x-ndjson\r\n"
            return Call("write", "POST", "/api/v1/events/order", headers, self._order(chance), (202,))
        person = chance.choice(self._people)
        return Call("write", "POST", "/api/v1/notifications/read-all", person.cookie + repeatable, b"", (200, 204))

    def _order(self, chance: random.Random) -> bytes:
        self._orders += 1
        return order_lines(f"{self._seed}-{self._orders}", chance, RECORDS)


def order_lines(name: str, chance: random.Random, lines: int) -> bytes:
    """Lines of orders that were placed now, as NDJSON; `name` makes their ids."""
    moment = datetime.now(UTC).isoformat()
    return b"\n".join(
        json.dumps(
            {
                "event_id": f"load-{name}-{line}", "order_id": f"order-{name}", "type": "placed", "occurred_at": moment,
                "customer_id": f"c{chance.randrange(5000)}", "product_id": f"p{chance.randrange(200)}", "quantity": 1,
                "unit_price": 10, "amount": 10, "currency": "PHP", "country": "Philippines",
                "channel": chance.choice(("web", "app", "branch")),
            }
        ).encode()
        for line in range(lines)
    )  # fmt: skip
