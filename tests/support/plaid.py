"""A double of Plaid on loopback, after the public documentation, which can misbehave.

It answers /transactions/sync and hands out the key of its notices.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

Transaction = dict[str, Any]


def transaction(identifier: str, amount: Any, **more: Any) -> Transaction:
    """A transaction in the shape of Plaid's documentation."""
    return {
        "account_id": "BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp", "account_owner": None, "amount": amount,
        "iso_currency_code": "USD", "unofficial_currency_code": None, "category": ["Shops"], "check_number": None,
        "counterparties": [], "date": "2026-11-20", "datetime": "2026-11-20T11:00:00Z",
        "authorized_date": "2026-11-20", "authorized_datetime": "2026-11-20T10:34:50Z",
        "location": {"address": "300 Post St", "city": "San Francisco", "region": "CA", "postal_code": "94108",
                     "country": "US", "lat": 40.7, "lon": -74.0, "store_number": "1235"},
        "name": "Apple Store", "merchant_name": "Apple", "merchant_entity_id": "Q5v4wAJ1nPyYdnMkrYzZlPxPZYoqXXQ8Gdwvv",
        "logo_url": None, "website": "apple.com", "payment_channel": "in store",
        "payment_meta": {"reference_number": None}, "pending": False, "pending_transaction_id": None,
        "personal_finance_category": {"primary": "GENERAL_MERCHANDISE", "detailed": "x", "confidence_level": "HIGH"},
        "transaction_id": identifier, "transaction_code": None, "transaction_type": "place",
    } | more  # fmt: skip


@dataclass
class Bank:
    """What happened at a bank, as a list of changes; a cursor is how many of them somebody has seen."""

    changes: list[tuple[str, Transaction]] = field(default_factory=list)
    faults: list[tuple[int, bytes]] = field(default_factory=list)
    """Answers that come before the next good one: (status, body); status 0 hangs up, -1 is slow."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    """What notices are signed with; Plaid is asked for its public half."""
    keys_asked: list[str] = field(default_factory=list)
    expired: bool = False
    after_page: Any = None
    """Called after each page that promises more: the list may change while it is read."""

    def add(self, *new: Transaction) -> None:
        """Transactions that are new."""
        self.changes += [("added", one) for one in new]

    def modify(self, *new: Transaction) -> None:
        """Transactions that are different."""
        self.changes += [("modified", one) for one in new]

    def remove(self, *identifiers: str) -> None:
        """Transactions that are none any more."""
        self.changes += [("removed", {"transaction_id": one, "account_id": "a"}) for one in identifiers]

    def signed(self, body: bytes, *, at: float | None = None, kid: str = "key-1", alg: str = "ES256") -> str:
        """The token by which Plaid signs a notice."""
        claims = {"iat": int(time.time() if at is None else at), "request_body_sha256": sha256(body).hexdigest()}
        return jwt.encode({"alg": alg, "kid": kid, "typ": "JWT"}, claims, self.key, algorithms=[alg])

    def answer_key(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        """The answer to who asks for a key."""
        self.keys_asked.append(asked["key_id"])
        if asked.get("secret") != "good-secret" or asked["key_id"] != "key-1":
            return problem(400, "INVALID_FIELD")
        expired = 1_700_000_000 if self.expired else None
        public = self.key.as_dict(private=False)
        key = public | {"alg": "ES256", "use": "sig", "kid": "key-1", "created_at": 1, "expired_at": expired}
        return 200, msgspec.json.encode({"key": key, "request_id": "r"})

    def answer(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        """The answer to who asks for transactions."""
        self.asked.append(asked)
        if self.faults:
            return self.faults.pop(0)
        if asked.get("secret") != "good-secret":
            return problem(400, "INVALID_API_KEYS")
        start = int(asked.get("cursor") or 0)
        page = self.changes[start : start + asked["count"]]
        following = start + len(page)
        found = {kind: [one for what, one in page if what == kind] for kind in ("added", "modified", "removed")}
        more = following < len(self.changes)
        document = found | {"accounts": [], "next_cursor": str(following), "has_more": more, "request_id": "r"}
        if more and self.after_page is not None:
            self.after_page(self)
        return 200, msgspec.json.encode(document)


def problem(status: int, code: str) -> tuple[int, bytes]:
    """A refusal as Plaid makes it."""
    body = {"error_type": "X", "error_code": code, "error_message": "m", "display_message": None, "request_id": "r"}
    return status, msgspec.json.encode(body)


MUTATED = problem(400, "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")


@contextmanager
def serving() -> Iterator[Bank]:
    """The double, until the block ends."""
    bank = Bank()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = bank.answer_key if self.path == "/webhook_verification_key/get" else bank.answer
            status, content = answer(msgspec.json.decode(body))
            if status == 0:
                self.close_connection = True
                return
            if status < 0:
                time.sleep(0.5)
                status = 200
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bank.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
