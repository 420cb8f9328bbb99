"""The keys of sealed columns, as every process has them: from the settings, proven at its start."""

from __future__ import annotations

from pathlib import Path

from finer.kit.actors import SYSTEM
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile, KeyService
from finer.kit.crypto.vault import Succession, VaultTransit
from finer.kit.db import API, NO_TENANT, Database
from finer.kit.outbound import Outbound
from finer.kit.settings import Settings


def keyring(settings: Settings) -> Keyring:
    """The keyring of a process; nothing is read before it is used or proven."""
    return Keyring(_service(settings))


def _service(settings: Settings) -> KeyService:
    file = KeyFile(settings.key_path)
    if not settings.kms_url:
        return file
    token = Path(settings.kms_token_file).expanduser().resolve()
    vault = VaultTransit(settings.kms_url, token, Outbound.of(settings))
    return Succession(vault, file) if file.path.exists() else vault


def prove_keys(database: Database) -> None:
    """Make the keys of a new installation, or refuse to start: raises KeysUnavailable saying what is wrong."""
    if database.keys is not None:
        with database.transaction(NO_TENANT, SYSTEM) as tx:
            database.keys.establish(tx)


def prove_keys_at(url: str, settings: Settings) -> None:
    """The same for a database that is not open yet."""
    database = Database(url, API, connections=1, keys=keyring(settings))
    try:
        prove_keys(database)
    finally:
        database.close()
