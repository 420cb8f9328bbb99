"""A Transit engine of our own (the API of Vault and OpenBao), which can be told to misbehave."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from finer.kit.crypto.envelope import decrypt, encrypt, new_key
from finer.kit.crypto.errors import SealBroken

TOKEN = "hvs.a-token-of-the-tests"
NAME = "finer"


class TransitServer(ThreadingHTTPServer):
    """One key with its versions. `mode` says how it misbehaves; empty is well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode = ""
        self.versions: dict[int, tuple[int, bytes]] = {}
        self.least = 1
        self.asked: list[str] = []
        self.bound: list[str] = []

    @property
    def host(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """What FINER_KMS_URL would be."""
        return f"http://{self.host}/v1/transit/keys/{NAME}"

    def rotate(self) -> None:
        """A new version."""
        self.versions[max(self.versions, default=0) + 1] = (int(time.time()), new_key())


@contextmanager
def transit() -> Iterator[TransitServer]:
    """The engine, without a key."""
    server = TransitServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: TransitServer

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.asked.append(f"{self.command} {self.path}")
        mode = self.server.mode
        if mode == "slow":
            time.sleep(1.5)
        if mode == "redirect":
            self._say(307, b"", Location="http://169.254.169.254/latest")
        elif mode == "broken":
            self._say(500, b'{"errors":["internal error"]}')
        elif mode == "garbage":
            self._say(200, b"\xff\xfe<html>")
        elif mode == "nothing":
            self._say(200, b"{}")
        elif mode == "too much":
            self._say(200, b'{"data":"' + b"x" * 400_000 + b'"}')
        elif self.headers.get("X-Vault-Token") != TOKEN or mode == "revoked":
            self._say(403, b'{"errors":["permission denied"]}')
        else:
            self._answer(json.loads(body) if body else {})

    def _answer(self, body: dict[str, Any]) -> None:
        server, path = self.server, self.path.removeprefix("/v1/transit/")
        if path == f"keys/{NAME}" and self.command == "POST":
            if not server.versions:
                server.rotate()
            self._say(204, b"")
        elif not server.versions:
            self._say(404, b'{"errors":[]}')
        elif path == f"keys/{NAME}":
            known = {str(version): at for version, (at, _) in server.versions.items()}
            self._say(200, json.dumps({"data": {"keys": known, "latest_version": max(server.versions)}}).encode())
        elif path == f"keys/{NAME}/rotate":
            server.rotate()
            self._say(204, b"")
        elif path == f"keys/{NAME}/config":
            server.least = body["min_decryption_version"]
            self._say(204, b"")
        elif path == f"keys/{NAME}/trim":
            server.versions = {n: one for n, one in server.versions.items() if n >= body["min_available_version"]}
            self._say(204, b"")
        else:
            act = self._encrypt if path == f"encrypt/{NAME}" else self._decrypt
            results = [act(one) for one in body["batch_input"]]
            status = 400 if any("error" in one for one in results) else 200
            self._say(status, json.dumps({"data": {"batch_results": results}}).encode())

    def _encrypt(self, one: dict[str, str]) -> dict[str, str]:
        self.server.bound.append(one["associated_data"])
        version = max(self.server.versions)
        key = new_key() if self.server.mode == "forgets" else self.server.versions[version][1]
        sealed = encrypt(key, base64.b64decode(one["plaintext"]), base64.b64decode(one["associated_data"]))
        return {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}"}

    def _decrypt(self, one: dict[str, str]) -> dict[str, str]:
        if self.server.mode == "wrong key":
            return {"plaintext": base64.b64encode(new_key()).decode()}
        if self.server.mode == "short key":
            return {"plaintext": base64.b64encode(b"short").decode()}
        _, version, text = one["ciphertext"].split(":")
        known = self.server.versions.get(int(version[1:]))
        try:
            if known is None or int(version[1:]) < self.server.least:
                return {"error": "ciphertext version is disallowed by policy"}
            bound = base64.b64decode(one["associated_data"])
            return {"plaintext": base64.b64encode(decrypt(known[1], base64.b64decode(text), bound)).decode()}
        except (SealBroken, ValueError):
            return {"error": "cipher: message authentication failed"}

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
