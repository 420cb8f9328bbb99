"""A passkey made of software: what a browser and its authenticator answer (WebAuthn Level 3), and how they may lie."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

ORIGIN = "http://localhost:8000"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftPasskey:
    """One credential. What `answer` and `register` take beside the options is what an attacker would change."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    count: int = 0
    handle: str | None = None

    def register(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What navigator.credentials.create() answers."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.identifier).to_bytes(2) + self.identifier + encode_cbor(cose)
        data = self._data(options["rp"]["id"], _ATTESTED, lies) + attested
        client = self._client("webauthn.create", options["challenge"], lies)
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "attestationObject": bytes_to_base64url(encode_cbor(statement)),
            "transports": ["internal", "nonsense"],
        }
        return self._credential(response)

    def answer(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """What navigator.credentials.get() answers."""
        self.count += lies.get("steps", 1)
        data = self._data(options["rpId"], 0, lies)
        client = self._client("webauthn.get", options["challenge"], lies)
        key = lies.get("key", self.key)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": lies.get("handle", self.handle),
        }
        return self._credential(response)

    def _data(self, site: str, flags: int, lies: dict[str, Any]) -> bytes:
        flags |= _PRESENT if lies.get("present", True) else 0
        flags |= _VERIFIED if lies.get("verified", True) else 0
        site_hash = hashlib.sha256(lies.get("site", site).encode()).digest()
        count: int = lies.get("count", self.count)
        return site_hash + bytes([flags]) + count.to_bytes(4)

    def _client(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        document = {
            "type": lies.get("kind", kind),
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", ORIGIN),
            "crossOrigin": lies.get("cross_origin", False),
        }
        return json.dumps(document).encode()

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        identifier = bytes_to_base64url(self.identifier)
        return {
            "id": identifier,
            "rawId": identifier,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
