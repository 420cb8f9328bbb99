"""The certificate of the API: held to what is safe before anything listens, and trusted by this machine itself."""

from __future__ import annotations

import os
import ssl
import stat
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509

from finer.kit.errors import InvalidInput
from finer.kit.settings import Settings


def tls_files(settings: Settings) -> tuple[Path, Path] | None:
    """The files of certificate and key, or None when the API speaks plain HTTP.

    Raises InvalidInput when one is missing, cannot be read or does not fit the other, and when others may read the key.
    """
    if not settings.tls_cert and not settings.tls_key:
        return None
    if not settings.tls_cert or not settings.tls_key:
        raise InvalidInput("TLS needs both: give --tls-cert and --tls-key (FINER_TLS_CERT and FINER_TLS_KEY).")
    certificate, key = Path(settings.tls_cert).expanduser(), Path(settings.tls_key).expanduser()
    _check_key(key)
    try:
        # A key with a passphrase would wait for somebody to type it, and nobody is there.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_nobody_types)
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"{certificate} and {key} cannot be used for TLS: {error}.") from error
    return certificate, key


def own_certificate(settings: Settings) -> ssl.SSLContext:
    """What this machine checks its own API with: exactly the certificate of the settings, whatever its name or issuer.

    Raises what `tls_files` raises.
    """
    if (files := tls_files(settings)) is None:
        return _usual()
    context = ssl.create_default_context(cafile=str(files[0]))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


@cache
def _usual() -> ssl.SSLContext:
    """Of no use for plain HTTP, but whoever asks wants one; `finer up` asks ten times a second until the API serves."""
    return ssl.create_default_context()


def certificate_end(settings: Settings) -> datetime | None:
    """When the certificate ends, UTC; None without TLS. Raises what `tls_files` raises."""
    files = tls_files(settings)
    return None if files is None else x509.load_pem_x509_certificate(files[0].read_bytes()).not_valid_after_utc


def _check_key(key: Path) -> None:
    """As PostgreSQL does it: a key of one's own is for oneself alone; one of root may be lent to one's group."""
    try:
        found = key.stat()
    except OSError as error:
        raise InvalidInput(f"The TLS key {key} cannot be read: {error.strerror}.") from error
    too_much = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
    if found.st_uid == os.geteuid() != 0:
        too_much |= stat.S_IRWXG
    if found.st_mode & too_much:
        raise InvalidInput(
            f"Others may read or change the TLS key {key} (mode {stat.S_IMODE(found.st_mode):04o}), so it is not used. "
            f"Run chmod 600 {key}."
        )


def _nobody_types() -> str:
    raise InvalidInput("The TLS key has a passphrase. Give one without, protected by the mode of its file.")
