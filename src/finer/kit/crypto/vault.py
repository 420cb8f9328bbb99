"""Master keys in a key service over HTTP: the Transit API of HashiCorp Vault and OpenBao.

The master key never leaves the service; data keys go there to be wrapped and unwrapped, many at once, with what they
are bound to as associated data. Requests go through the one door out (`kit.outbound`). The service is not believed:
what it wraps is unwrapped again before anything is sealed with it, for a key that does not open again is lost data.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from finer.kit.crypto.envelope import KEY_BYTES
from finer.kit.crypto.errors import KeysUnavailable, SealBroken
from finer.kit.crypto.kms import BY_SERVICE, Boxed, KeyService, by_file
from finer.kit.outbound import Answer, Outbound, OutboundRefused

_MARK = BY_SERVICE
_AT_ONCE = 200
_BELIEVED_S = 30.0  # how long the newest version is remembered; a rotation by this process is noticed at once
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]{40,400}")
_KEY_URL = re.compile(r"(https?://[^/?#]+/v1/[^?#]*?)/keys/([A-Za-z0-9._-]+)")


class VaultTransit:
    """A named key of a Transit engine (`https://vault:8200/v1/transit/keys/finer`, type aes256-gcm96)."""

    def __init__(self, url: str, token_file: Path, outbound: Outbound) -> None:
        """Raises KeysUnavailable for an address that is not that of a Transit key."""
        found = _KEY_URL.fullmatch(url)
        if found is None:
            raise KeysUnavailable(
                f"FINER_KMS_URL is {url[:120]!r}. It names a key of a Transit engine: "
                "https://vault.example:8200/v1/transit/keys/finer."
            )
        self._engine, self._name = found.groups()
        self._token_file = token_file
        self._outbound = outbound
        self._latest = (0.0, 0)

    def prepare(self) -> None:
        """Make the key when there is none."""
        if self._ask("GET", "keys", missing_is_fine=True) is None:
            self._ask("POST", "keys", {"type": "aes256-gcm96"})

    def wrap(self, keys: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        wrapped = [one for part in _parts(keys) for one in self._wrap(part)]
        again = self.unwrap([(one, bound) for one, (_, bound) in zip(wrapped, keys, strict=True)])
        if not all(hmac.compare_digest(one, key) for one, (key, _) in zip(again, keys, strict=True)):
            raise KeysUnavailable("The key service wrapped a key that it does not open again, so nothing was sealed.")
        return wrapped

    def unwrap(self, wrapped: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        return [one for part in _parts(wrapped) for one in self._unwrap(part)]

    def rotate(self) -> None:
        """See KeyService."""
        self._ask("POST", "keys", {}, act="rotate")
        self._latest = (0.0, 0)

    def current(self, wrapped: bytes) -> bool:
        """See KeyService."""
        found = _CIPHERTEXT.fullmatch(wrapped.removeprefix(_MARK).decode("ascii", "replace"))
        return wrapped.startswith(_MARK) and found is not None and int(found[1]) == self._newest()

    def rotated_at(self) -> datetime | None:
        """See KeyService."""
        versions = self._versions()
        if len(versions) < 2:
            return None
        made = versions[max(versions)]
        if not isinstance(made, int):
            raise self._nonsense("when the newest version of the key was made")
        return datetime.fromtimestamp(made, UTC)

    def retire(self) -> None:
        """See KeyService. The older versions are trimmed: the service forgets them."""
        newest = max(self._versions())
        limits = {"min_decryption_version": newest, "min_encryption_version": newest}
        self._ask("POST", "keys", limits, act="config")
        self._ask("POST", "keys", {"min_available_version": newest}, act="trim")

    def _wrap(self, keys: Sequence[Boxed]) -> list[bytes]:
        batch = [{"plaintext": _b64(key), "associated_data": _b64(bound)} for key, bound in keys]
        texts = [str(one.get("ciphertext")) for one in self._batch("encrypt", batch)]
        if any(_CIPHERTEXT.fullmatch(text) is None for text in texts):
            raise self._nonsense("a wrapped key")
        return [_MARK + text.encode("ascii") for text in texts]

    def _unwrap(self, wrapped: Sequence[Boxed]) -> list[bytes]:
        texts = [bytes(one).removeprefix(_MARK).decode("ascii", "replace") for one, _ in wrapped]
        if any(by_file(one) for one, _ in wrapped):
            raise KeysUnavailable(
                "Some data keys were wrapped with a key file, and there is none. Put it back to where FINER_KEY_FILE "
                "says until `finer keys rotate --master` is done under the key service."
            )
        marked = all(one.startswith(_MARK) for one, _ in wrapped)
        if not marked or any(_CIPHERTEXT.fullmatch(text) is None for text in texts):
            raise SealBroken("A wrapped data key is damaged. Restore the database from a backup.")
        batch = [
            {"ciphertext": text, "associated_data": _b64(bound)}
            for text, (_, bound) in zip(texts, wrapped, strict=True)
        ]
        found = self._batch("decrypt", batch)
        if any(one.get("error") for one in found):
            raise SealBroken(
                "The key service does not open a data key: it was altered, or the version of the master key that it "
                "was wrapped with is gone from the service."
            )
        try:
            keys = [base64.b64decode(str(one["plaintext"]), validate=True) for one in found]
        except (KeyError, binascii.Error, ValueError) as error:
            raise self._nonsense("an unwrapped key") from error
        if any(len(key) != KEY_BYTES for key in keys):
            raise self._nonsense("an unwrapped key")
        return keys

    def _batch(self, act: str, batch: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        data = self._ask("POST", act, {"batch_input": batch}, refusals_are_data=True)
        found = (data or {}).get("batch_results")
        if not isinstance(found, list) or len(found) != len(batch) or not all(isinstance(one, dict) for one in found):
            raise self._nonsense("as many keys as it was given")
        return found

    def _newest(self) -> int:
        until, newest = self._latest
        if time.monotonic() >= until:
            newest = max(self._versions())
            self._latest = (time.monotonic() + _BELIEVED_S, newest)
        return newest

    def _versions(self) -> dict[int, Any]:
        """When each version that is left was made."""
        known = (self._ask("GET", "keys") or {}).get("keys")
        if not isinstance(known, dict) or not known or not all(str(one).isdecimal() for one in known):
            raise self._nonsense("the versions of the key")
        return {int(version): made for version, made in known.items()}

    def _ask(
        self,
        method: str,
        what: str,
        body: Mapping[str, Any] | None = None,
        *,
        act: str = "",
        missing_is_fine: bool = False,
        refusals_are_data: bool = False,
    ) -> dict[str, Any] | None:
        url = "/".join(part for part in (self._engine, what, self._name, act) if part)
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true"}
        try:
            if method == "GET":
                answer = self._outbound.get(url, headers=headers)
            else:
                answer = self._outbound.post_json(url, msgspec.json.encode(body), headers=headers)
        except OutboundRefused as error:
            raise KeysUnavailable(
                f"The key service cannot be asked: {error.detail} Try again when it answers."
            ) from error
        if answer.status == 404 and missing_is_fine:
            return None
        # A batch of which some could not be opened is answered with 400 and the results of each.
        if answer.status >= 400 and not (refusals_are_data and answer.status == 400):
            raise KeysUnavailable(f"The key service {_REFUSALS.get(answer.status, _FAILED).format(answer.status)}")
        return self._data(answer)

    def _data(self, answer: Answer) -> dict[str, Any] | None:
        if answer.status == 204 or not answer.body:
            return None
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._nonsense("JSON") from error
        data = found.get("data")
        if data is not None and not isinstance(data, dict):
            raise self._nonsense("what was asked")
        return data

    def _token(self) -> str:
        try:
            mode = stat.S_IMODE(self._token_file.stat().st_mode)
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeysUnavailable(
                f"The token of the key service cannot be read from {self._token_file}. FINER_KMS_TOKEN_FILE names a "
                "file that the user that runs Finer can read."
            ) from error
        if mode & 0o077:
            raise KeysUnavailable(f"Others may read {self._token_file} (mode {mode:04o}). Then: chmod 0400 it.")
        if not token or not token.isprintable() or " " in token:
            raise KeysUnavailable(f"The file {self._token_file} holds no token of a key service.")
        return token

    @staticmethod
    def _nonsense(wanted: str) -> KeysUnavailable:
        return KeysUnavailable(
            f"The key service did not answer with {wanted}. Look at what stands behind FINER_KMS_URL."
        )


_FAILED = "failed with status {}. Try again when it works."
_REFUSALS = {
    400: "did not accept the request ({}). The key must be of type aes256-gcm96.",
    403: "refused the token ({}). Give Finer a new one in FINER_KMS_TOKEN_FILE, or mend its policy.",
    404: "does not know the key ({}). Look at the engine and the name in FINER_KMS_URL.",
}


class Succession:
    """A key service that takes over from the one before: new keys are wrapped by it, old ones are opened by both."""

    def __init__(self, service: KeyService, before: KeyService) -> None:
        self._service = service
        self._before = before

    def prepare(self) -> None:
        """See KeyService."""
        self._service.prepare()

    def wrap(self, keys: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        return self._service.wrap(keys)

    def unwrap(self, wrapped: Sequence[Boxed]) -> list[bytes]:
        """See KeyService."""
        new = [one for one in wrapped if one[0].startswith(_MARK)]
        old = [one for one in wrapped if not one[0].startswith(_MARK)]
        opened = dict(zip(new, self._service.unwrap(new) if new else [], strict=True))
        opened |= dict(zip(old, self._before.unwrap(old) if old else [], strict=True))
        return [opened[one] for one in wrapped]

    def rotate(self) -> None:
        """See KeyService."""
        self._service.prepare()
        self._service.rotate()

    def current(self, wrapped: bytes) -> bool:
        """See KeyService."""
        return wrapped.startswith(_MARK) and self._service.current(wrapped)

    def rotated_at(self) -> datetime | None:
        """See KeyService."""
        return self._service.rotated_at()

    def retire(self) -> None:
        """See KeyService. What stood before is for the operator to take away."""
        self._service.retire()


def _parts(boxes: Sequence[Boxed]) -> list[Sequence[Boxed]]:
    return [boxes[at : at + _AT_ONCE] for at in range(0, len(boxes), _AT_ONCE)]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
