"""An OpenID provider on the loopback address that can be told to misbehave; honest as long as nobody tells it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, SECRET = "finer", "a secret of a test"
_KEYS = [RSAKey.generate_key(2048) for _ in range(2)]
Change = Callable[[dict[str, Any]], None]


def _nothing(_: dict[str, Any]) -> None:
    """An honest provider changes nothing."""


class HostileProvider:
    """What the provider says, each part of it open to change by a test."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.issuer = ""
        self.host = ""
        self.key, self.kid = _KEYS[0], "one"
        self.stranger = _KEYS[1]
        self.person: dict[str, Any] = {"sub": "ana-1", "name": "Ana Cruz", "groups": ["risk"]}
        self.change_metadata: Change = _nothing
        self.change_jwks: Change = _nothing
        self.change_header: Change = _nothing
        self.change_claims: Change = _nothing
        self.change_tokens: Change = _nothing
        self.change_userinfo: Change = _nothing
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] = self._sign
        self.respond: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, location: str, **changed: str | None) -> dict[str, str]:
        """What the provider sends back through the browser; `None` leaves a parameter out."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer: dict[str, str | None] = {"code": code, "state": asked["state"], "iss": self.issuer, **changed}
        return {name: value for name, value in answer.items() if value is not None}

    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        found: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        self.change_metadata(found)
        return found

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        public: dict[str, Any] = {**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "RS256"}
        found = {"keys": [public]}
        self.change_jwks(found)
        return found

    def userinfo(self) -> dict[str, Any]:
        """Claims for the holder of an access token."""
        found = dict(self.person)
        self.change_userinfo(found)
        return found

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Tokens for a code, once, for whoever knows the verifier and the secret."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = asked is not None and challenge.rstrip(b"=").decode() == asked["code_challenge"]
        if asked is None or not fits or form.get("client_secret") != SECRET:
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(16)
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        now = int(self._now())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(), **self.person,
        }  # fmt: skip
        header = {"alg": "RS256", "kid": self.kid}
        self.change_claims(claims)
        self.change_header(header)
        tokens = {"access_token": access_token, "token_type": "Bearer", "id_token": self.sign(header, claims)}
        self.change_tokens(tokens)
        return 200, tokens

    def _sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header, claims, self.key, algorithms=["RS256"], default_type=None)


@contextmanager
def hostile_provider(now: Callable[[], float]) -> Iterator[HostileProvider]:
    """A provider that listens until the block ends."""
    provider = HostileProvider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            if path in provider.respond:
                provider.respond[path](self)
            elif path == "/.well-known/openid-configuration":
                say(self, 200, provider.metadata())
            elif path == "/jwks":
                say(self, 200, provider.jwks())
            elif path == "/userinfo":
                say(self, 200, provider.userinfo())
            else:
                say(self, 404, {})

        def do_POST(self) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            if path in provider.respond:
                provider.respond[path](self)
            else:
                say(self, *provider.exchange({name: values[0] for name, values in parse_qs(body).items()}))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    provider.host = f"127.0.0.1:{server.server_address[1]}"
    provider.issuer = f"http://{provider.host}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, document: Any, **headers: str) -> None:
    """Answer with a document."""
    body = json.dumps(document).encode()
    handler.send_response(status)
    for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte now and then, for as long as anybody listens."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(600):
            handler.wfile.write(b" ")
            time.sleep(0.05)
    except OSError:
        return
