"""`finer doctor`: what of this machine and these settings would keep Finer from working."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeAlias

import msgspec
import psutil

from finer.app.keys import keyring
from finer.app.ports import listener_of, refuse_taken_port, served_by_finer
from finer.app.process import database_url
from finer.app.tls import certificate_end
from finer.app.web_folder import web_folder
from finer.kit.actors import SYSTEM
from finer.kit.clock import SystemClock
from finer.kit.crypto.envelope import new_key
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import (
    API,
    NO_TENANT,
    Database,
    DatabaseError,
    NotMade,
    NotOurs,
    connect,
    has_tables,
    server_version,
)
from finer.kit.errors import Conflict, FinerError, InvalidInput, Unavailable
from finer.kit.folders import nearest_folder, try_writing
from finer.kit.log_failures import set_aside_counts
from finer.kit.settings import Settings
from finer.warehouse.errors import BiUnavailable, LakeUnavailable
from finer.warehouse.service.lake import try_storage

_DISK_MIN_GB = 5
_MEMORY_MIN_GB = 4
_CERTIFICATE_MIN_DAYS = 14
_PATIENCE_S = 20.0


_DATA_FOLDER = "Finer keeps its data there; give another folder by --data-dir or FINER_DATA_DIR."


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: whether it is good, and a sentence."""

    what: str
    good: bool
    says: str


_Look: TypeAlias = Callable[[Settings], Finding | list[Finding]]


def examine(settings: Settings, patience_s: float = _PATIENCE_S) -> list[Finding]:
    """Python, memory, disk, port, web app, TLS, database, keys, lake, BI database and log, in that order.

    They are looked at beside one another: one that says nothing within `patience_s` seconds is bad, and is not waited
    for.
    """
    looked = [(what, _begin(look, settings), who) for what, look, who in _LOOKS]
    wait([found for _, found, _ in looked], timeout=patience_s)
    findings: list[Finding] = []
    for what, found, who in looked:
        if found.done():
            findings += found.result()
        else:
            findings.append(Finding(what, False, f"nothing was heard within {patience_s:g} s. {who}"))
    return findings


def _begin(look: _Look, settings: Settings) -> Future[list[Finding]]:
    """Look in a thread of its own, which does not keep the process from ending while it hears nothing."""
    found: Future[list[Finding]] = Future()

    def run() -> None:
        try:
            seen = look(settings)
            found.set_result([seen] if isinstance(seen, Finding) else seen)
        except BaseException as error:  # noqa: BLE001 - whoever takes the result raises it
            found.set_exception(error)

    threading.Thread(target=run, name="finer-doctor", daemon=True).start()
    return found


def _python(_: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), f"{version}; 3.11 or newer is needed.")


def _memory(_: Settings) -> Finding:
    total = psutil.virtual_memory().total / 2**30
    return Finding("memory", total >= _MEMORY_MIN_GB, f"{total:.1f} GiB; at least {_MEMORY_MIN_GB} GiB is advised.")


def _disk(settings: Settings) -> Finding:
    try:
        folder = try_writing(settings.data_path, _DATA_FOLDER)
    except InvalidInput as error:
        return Finding("disk", False, error.detail)
    free = shutil.disk_usage(folder).free / 2**30
    return Finding(
        "disk", free >= _DISK_MIN_GB, f"{free:.1f} GiB free at {folder}; at least {_DISK_MIN_GB} GiB is advised."
    )


def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    try:
        refuse_taken_port(settings.host, settings.port)
    except InvalidInput as error:
        return Finding("port", False, error.detail)
    except Conflict:
        if served_by_finer(settings.port):
            return Finding("port", True, f"Finer answers at {where} already.")
        holder = listener_of(settings.port)
        return Finding("port", False, f"{where} is taken by {holder}. Stop that, or use --port or FINER_PORT.")
    return Finding("port", True, f"{where} is free.")


def _web(_: Settings) -> Finding:
    built = (web_folder() / "index.html").is_file()
    return Finding("web app", built, "built." if built else "not built; run make web.")


def _tls(settings: Settings) -> Finding:
    try:
        end = certificate_end(settings)
    except InvalidInput as error:
        return Finding("TLS", False, error.detail)
    if end is None:
        return Finding("TLS", True, "off; let a proxy end TLS, or give a certificate (FINER_TLS_CERT).")
    days = (end - SystemClock().now()).days
    return Finding("TLS", days >= _CERTIFICATE_MIN_DAYS, f"the certificate ends in {days} days ({end:%Y-%m-%d}).")


def _database(settings: Settings) -> Finding:
    if not _folder_found(settings):
        return Finding("database", False, "the embedded PostgreSQL cannot be looked for in the data folder; see disk.")
    url, server = database_url(settings)
    if server is not None and not server.running():
        return Finding("database", True, "the embedded PostgreSQL is not running; finer up starts it.")
    try:
        version = server_version(url)
    except Unavailable as error:
        return Finding("database", False, f"{error.detail}. Check FINER_DATABASE_URL.")
    try:
        made = server is not None or has_tables(url)
    except NotOurs as error:
        return Finding("database", False, error.detail)
    if not made:
        return Finding(
            "database", False, f"PostgreSQL {version} answers, and has no tables of Finer. Run finer migrate."
        )
    where = f" Its files are in {server.cluster}, its socket is in {server.socket}." if server is not None else ""
    return Finding("database", True, f"PostgreSQL {version} answers.{where}")


def _folder_found(settings: Settings) -> bool:
    """Whether an embedded PostgreSQL can be looked for; nobody looks for one beside a server of one's own."""
    try:
        return bool(settings.database_url) or nearest_folder(settings.data_path, _DATA_FOLDER).is_dir()
    except InvalidInput:
        return False


def _keys(settings: Settings) -> Finding:
    """Whether the master key wraps, and opens what was sealed; nothing is made."""
    if not _folder_found(settings):
        return Finding("keys", False, "the keys cannot be looked for in the data folder; see disk.")
    try:
        keys = keyring(settings)
        if not settings.kms_url and not settings.key_path.exists():
            says = f"there is no key file {settings.key_path}; finer up makes it at its first start."
            return Finding("keys", not _sealed(settings, keys), says)
        keys.service.wrap([(new_key(), b"finer doctor")])
        _sealed(settings, keys)
    except FinerError as error:
        return Finding("keys", False, error.detail)
    except OSError as error:
        return Finding("keys", False, f"the key file {settings.key_path} cannot be looked for: {error.strerror}.")
    return Finding("keys", True, f"the master key of {settings.kms_url or settings.key_path} wraps and opens.")


def _sealed(settings: Settings, keys: Keyring) -> bool:
    """Whether the database holds what was sealed with these keys; False while it cannot be asked."""
    url, server = database_url(settings)
    if server is not None and not server.running():
        return False
    try:
        if not has_tables(url):
            return False
        database = Database(url, API, connections=1, keys=keys)
    except (DatabaseError, Unavailable):
        return False  # what is said of the database says why
    try:
        with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            return keys.proven(tx)
    finally:
        database.close()


def _lake(settings: Settings) -> Finding:
    try:
        return Finding("lake", True, f"files can be written to {try_storage(settings)}.")
    except LakeUnavailable as error:
        return Finding("lake", False, error.detail)


def _bi_database(settings: Settings) -> list[Finding]:
    if not settings.bi_database_url:
        return []
    # Half of what this command would load, for a setting that few have.
    from finer.warehouse.service.extracts import left_open  # noqa: PLC0415

    try:
        wanting = left_open(settings)
    except BiUnavailable as error:
        return [Finding("BI database", False, error.detail)]
    if not wanting:
        return [Finding("BI database", True, "answers; logins of extracts reach nothing but their extract.")]
    says = f"answers. Let a superuser of that server take more from its logins, in that database: {' '.join(wanting)}"
    return [Finding("BI database", True, says)]


def _log(settings: Settings) -> list[Finding]:
    """What the worker could not process; nothing is said while the database does not answer, or has no tables yet."""
    if not _folder_found(settings):
        return []
    url, server = database_url(settings)
    if server is not None and not server.running():
        return []
    try:
        with connect(url, API, name="finer-doctor") as connection:
            counts = set_aside_counts(connection)
    except (DatabaseError, NotMade):
        return []
    records = sum(records for _, records in counts.values())
    if not records:
        return [Finding("event log", True, "every record could be processed.")]
    says = f"{records} records of {len(counts)} firms are set aside; see `finer log list`, then `finer log replay`."
    return [Finding("event log", False, says)]


_DATABASE = "See whether its server is overloaded, or a firewall drops what is sent to FINER_DATABASE_URL."
_LOOKS: tuple[tuple[str, _Look, str], ...] = (
    ("Python", _python, "See whether the machine is overloaded."),
    ("memory", _memory, "See whether the machine is overloaded."),
    ("disk", _disk, f"See whether it is a network share that is gone. {_DATA_FOLDER}"),
    ("port", _port, "See whether the name in FINER_HOST can be looked up."),
    ("web app", _web, "See whether Finer is installed on a network share that is gone."),
    ("TLS", _tls, "See whether the file of FINER_TLS_CERT is on a network share that is gone."),
    ("database", _database, _DATABASE),
    ("keys", _keys, "See whether the service of FINER_KMS_URL and the database answer from this machine."),
    ("lake", _lake, "See whether the storage of FINER_LAKE and FINER_LAKE_ENDPOINT answers from this machine."),
    ("BI database", _bi_database, "See whether the server of FINER_BI_DATABASE_URL answers from this machine."),
    ("event log", _log, _DATABASE),
)
"""What is looked at, how, and what to do where nothing is heard of it."""
