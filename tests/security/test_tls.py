"""TLS by the API itself, with a certificate made here; and a key that others may read is not used."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from finer.app.doctor import examine
from finer.app.tls import certificate_end, own_certificate, tls_files
from finer.kit.crypto.keyring import Keyring
from finer.kit.errors import InvalidInput
from finer.kit.outbound import Outbound, OutboundRefused
from finer.kit.settings import Settings
from tests.support.api_process import api_process
from tests.support.receivers import serving

_END = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


def _certificate(folder: Path, name: str = "finer", passphrase: bytes | None = None) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "finer.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_END - timedelta(days=60))
        .not_valid_after(_END)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate = folder / f"{name}.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        sealing = serialization.BestAvailableEncryption(passphrase)
    file = certificate.with_suffix(".key")
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, sealing))
    file.chmod(0o600)
    return certificate


def _settings(certificate: Path, key: Path | None = None) -> Settings:
    return Settings(tls_cert=str(certificate), tls_key=str(key or certificate.with_suffix(".key")))


def test_the_api_speaks_tls_13_with_strict_transport(
    tmp_path: Path, database_url: str, keys: Keyring, data_path: Path
) -> None:
    assert keys is not None  # the key file exists
    certificate = _certificate(tmp_path)
    with api_process(tmp_path, database_url, data_path / "master.key", certificate=certificate) as api:
        answer = httpx.get(f"{api.url}/api/v1/health/live", verify=api.verify)
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        assert httpx.get(f"{api.url}/api/v1/me", verify=api.verify).status_code == 401
        own = own_certificate(_settings(certificate))
        assert httpx.get(f"{api.url}/api/v1/health/live", verify=own).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{api.url}/api/v1/health/live", verify=own_certificate(_settings(_certificate(tmp_path, "b"))))
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{api.url.replace('https', 'http')}/api/v1/health/live")
        _refuses_older_than_13(api.port)


def _refuses_older_than_13(port: int) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)


@pytest.mark.parametrize(
    ("mode", "good"), [(0o400, True), (0o600, True), (0o604, False), (0o644, False), (0o620, False)]
)
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path, mode: int, good: bool) -> None:
    certificate = _certificate(tmp_path)
    certificate.with_suffix(".key").chmod(mode)
    if good:
        assert tls_files(_settings(certificate)) == (certificate, certificate.with_suffix(".key"))
    else:
        with pytest.raises(InvalidInput, match="chmod 600"):
            tls_files(_settings(certificate))


def test_the_key_of_root_may_be_lent_to_a_group(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    certificate.with_suffix(".key").chmod(0o640)
    if os.geteuid() == 0:
        assert tls_files(_settings(certificate)) is not None
    else:
        with pytest.raises(InvalidInput, match="Others may read"):
            tls_files(_settings(certificate))


def test_what_does_not_fit_together_is_told_before_anything_listens(tmp_path: Path) -> None:
    first, second = _certificate(tmp_path), _certificate(tmp_path, "second")
    sealed = _certificate(tmp_path, "sealed", b"passphrase")
    wrong = {
        "cannot be used": _settings(first, second.with_suffix(".key")),
        "cannot be read": _settings(first, tmp_path / "missing.key"),
        "needs both": Settings(tls_cert=str(first)),
        "passphrase": _settings(sealed),
    }
    for sentence, settings in wrong.items():
        with pytest.raises(InvalidInput, match=sentence):
            tls_files(settings)


def test_the_doctor_says_how_long_the_certificate_lasts(tmp_path: Path) -> None:
    settings = _settings(_certificate(tmp_path))
    assert certificate_end(settings) == _END
    assert certificate_end(Settings()) is None
    found = {finding.what: finding for finding in examine(settings)}["TLS"]
    assert found.good
    assert f"{_END:%Y-%m-%d}" in found.says
    assert not {finding.what: finding for finding in examine(Settings(tls_cert="x"))}["TLS"].good


def test_whoever_is_asked_outside_is_held_to_the_certificates_that_the_machine_trusts_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, other = _certificate(tmp_path), _certificate(tmp_path, "other").read_bytes()
    trusted = tmp_path / "trusted.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    with serving(theirs, x=lambda handler: handler.say(200)) as (host, _):
        door = Outbound([host])
        trusted.write_bytes(other)
        with pytest.raises(OutboundRefused, match="CERTIFICATE_VERIFY_FAILED"):
            door.get(f"https://{host}/x")
        trusted.write_bytes(theirs.read_bytes() + b"\n" * 100)  # another size, were all in one tick of the clock
        assert door.get(f"https://{host}/x").status == 200
        trusted.write_bytes(other)
        with pytest.raises(OutboundRefused, match="CERTIFICATE_VERIFY_FAILED"):
            door.get(f"https://{host}/x")
