"""A small HTTP server that keeps what it is sent like Finer does, and misbehaves when told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUSY, UNAVAILABLE, RESET_BEFORE, RESET_AFTER, REFUSED = "busy", "unavailable", "reset before", "reset after", "refused"
Trouble = Callable[[int], str | None]


class FakeFiner:
    """Keeps accepted records by contract and id; `trouble` says what goes wrong with the n-th request to send."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self.lock = threading.Lock()
        self.requests = 0
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        self.order: dict[str, list[str]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.totals: Counter[str] = Counter()
        self.alerts: dict[str, dict[str, Any]] = {}
        self.segments: list[dict[str, Any]] = []
        self.jobs: list[str] = []
        self.resolved: list[tuple[str, dict[str, Any]]] = []
        self.arrived = threading.Condition(self.lock)

    def take(self, contract: str, key: str, body: bytes) -> dict[str, Any]:
        """Keep the records of one body once; the same key gives the same answer."""
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            known = self.records.setdefault(contract, {})
            counts: Counter[str] = Counter()
            for line in body.splitlines():
                counts["received"] += 1
                outcome = self._keep(contract, known, line)
                counts[outcome] += 1
            self.totals += counts
            names = ("received", "accepted", "duplicate", "quarantined")
            self.answers[key] = {name: counts[name] for name in names}
            self.arrived.notify_all()
            return self.answers[key]

    def _keep(self, contract: str, known: dict[str, dict[str, Any]], line: bytes) -> str:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            return "quarantined"
        if record["event_id"].endswith("-x"):
            return "quarantined"
        if record["event_id"] in known:
            assert known[record["event_id"]] == record
            return "duplicate"
        known[record["event_id"]] = record
        self.order.setdefault(contract, []).append(record["event_id"])
        return "accepted"

    def wait_for(self, count: int) -> None:
        """Wait until so many records were kept."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.totals["accepted"] >= count, timeout=20)

    def document(self, path: str) -> dict[str, Any]:
        """What a GET answers."""
        if path.endswith("/pipeline"):
            rows = [{"table": f"{name}s", "rows": len(found)} for name, found in self.records.items()]
            return {"freshness": rows, "lag": {"events": 0}}
        if path.endswith("/lake"):
            return {"tables": [{"name": "labels", "rows": len(self.resolved)}]}
        if "/alerts" in path:
            found = [alert for alert in self.alerts.values() if alert["state"] == "open"]
            return {"items": found, "next": None}
        return {"status": "ready"}

    def act(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """What is asked for: to run a job, to keep a segment, or to close an alert."""
        if "/jobs/" in path:
            self.jobs.append(path.split("/")[-2])
            return 202, {}
        if path.endswith("/segments"):
            self.segments.append(body)
            return 201, {}
        return self.resolve(path.split("/")[-2], body)

    def resolve(self, identifier: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Close an alert, or say that somebody did."""
        alert = self.alerts[identifier]
        if alert["state"] != "open" or alert["version"] != body["version"]:
            return 409, {"detail": "Somebody else was quicker."}
        alert["state"] = body["verdict"]
        self.resolved.append((alert["event_id"], body))
        return 200, alert


@contextmanager
def serving(fake: FakeFiner) -> Iterator[str]:
    """Serve on a free port; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(200, fake.document(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if "/events/" not in self.path:
                self._act(body)
                return
            with fake.lock:
                fake.requests += 1
                trouble = fake.trouble(fake.requests)
            if trouble in (RESET_BEFORE, RESET_AFTER):
                if trouble == RESET_AFTER:
                    fake.take(self.path.rpartition("/")[2], self.headers["idempotency-key"], body)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            elif trouble == BUSY:
                self._answer(429, {"detail": "Slow down."}, {"Retry-After": "0"})
            elif trouble == UNAVAILABLE:
                self._answer(503, {"detail": "The database is away."}, {"Retry-After": "0"})
            elif trouble == REFUSED:
                self._answer(403, {"detail": "This key may not send events."})
            else:
                self._answer(202, fake.take(self.path.rpartition("/")[2], self.headers["idempotency-key"], body))

        def _act(self, body: bytes) -> None:
            document = json.loads(body or b"{}")
            if self.path.endswith("/session/link"):
                assert document == {"token": "secret"}
                self._answer(200, {}, {"Set-Cookie": "finer_session=s1; Path=/"})
                return
            signs = ("authorization", "Bearer fk_test") if "/jobs/" in self.path else ("cookie", "finer_session=s1")
            assert self.headers[signs[0]] == signs[1]
            assert self.headers["x-requested-with"] == "finer"
            self._answer(*fake.act(self.path, document))

        def _answer(self, status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            data = json.dumps(document).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # resets that were asked for

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
