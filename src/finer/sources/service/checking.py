"""Whether the settings of a source can work, before anything is asked."""

from __future__ import annotations

import re
from pathlib import Path

from finer.ingest.service import parsing
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.ingest.types.records import Mapping
from finer.kit.errors import FinerError
from finer.kit.outbound import OutboundRefused
from finer.sources.errors import SettingsInvalid, SourceMisconfigured
from finer.sources.rules.hosts import pairs_of
from finer.sources.rules.stripe import check_customer
from finer.sources.service.reach import Reach
from finer.sources.types import (
    Credentials,
    FolderSettings,
    KafkaFormat,
    KafkaSecurity,
    KafkaSettings,
    ObjectSettings,
    PlaidSettings,
    PostgresSettings,
    Settings,
    StripeSettings,
)

_NAME = re.compile(r"[\w][\w .,&()/'-]{0,79}")
_TRANSACTION = "transaction"


def check_name(name: str) -> str:
    """A name that people and receipts can carry. Raises SettingsInvalid."""
    if _NAME.fullmatch(name) is None or name != name.strip():
        raise SettingsInvalid("A source has a name of 1 to 80 letters, digits, blanks and . , & ( ) / ' - signs.")
    return name


def check_records(
    known: FirmContracts, settings: Settings, contract: str, mapping: str
) -> tuple[Contract, Mapping | None]:
    """The contract and the mapping of a source. Raises SettingsInvalid, UnknownContract, MappingInvalid.

    Where the records are text, the expressions of the mapping are held to the types that it names. Columns that come
    with types of their own, of a table or of Parquet and Arrow, are only known when the first record is read.
    """
    target = known.named(contract)
    if isinstance(settings, StripeSettings | PlaidSettings):
        if contract != _TRANSACTION or mapping.strip():
            raise SettingsInvalid(
                "Stripe and Plaid bring transactions: the contract is transaction, without a mapping."
            )
        return target, None
    if not mapping.strip():
        return target, None
    found = parsing.read_mapping(mapping, "mapping", target)
    parsing.check_mapping(found, target, _records_name(settings))
    return target, found


def check_settings(settings: Settings, credentials: Credentials, reach: Reach) -> None:
    """Whether everything is given that this kind needs, and is allowed here. Raises SettingsInvalid."""
    try:
        if isinstance(settings, FolderSettings):
            allowed_folder(settings.folder, reach)
        elif isinstance(settings, ObjectSettings):
            _need(credentials, "user", "secret")
            reach.door().check(settings.endpoint)
        elif isinstance(settings, KafkaSettings):
            _check_kafka(settings, credentials, reach)
        elif isinstance(settings, StripeSettings):
            _check_stripe(settings, credentials)
        elif isinstance(settings, PlaidSettings):
            _check_plaid(settings, credentials, reach)
        else:
            _check_postgres(settings, credentials, reach)
    except (OutboundRefused, SourceMisconfigured) as error:
        raise SettingsInvalid(error.detail) from error


def _records_name(settings: Settings) -> str:
    """A file name that tells how the records of a source are written, where its settings tell that."""
    if isinstance(settings, FolderSettings | ObjectSettings):
        return settings.pattern
    if isinstance(settings, KafkaSettings) and settings.format is not KafkaFormat.ARROW:
        return "messages.ndjson"
    return ""


def allowed_folder(folder: str, reach: Reach) -> Path:
    """The folder, when it lies below one that the operator opened to this firm. Raises SourceMisconfigured."""
    try:
        found = Path(folder).resolve(strict=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceMisconfigured(f"{folder[:120]!r} is no folder.") from error
    roots = [Path(root).resolve() for root in reach.folders]
    if not Path(folder).is_absolute() or not any(found == root or root in found.parents for root in roots):
        raise SourceMisconfigured(
            f"The folder {folder[:120]!r} is not open to this firm. An operator opens folders with the setting "
            f"FINER_SOURCES_FOLDERS={reach.firm}=/folder."
        )
    return found


def _need(credentials: Credentials, *names: str) -> None:
    for name in names:
        if not getattr(credentials, name):
            raise SettingsInvalid(f"Credentials of this kind of source need `{name}`.")


def _check_kafka(settings: KafkaSettings, credentials: Credentials, reach: Reach) -> None:
    for host, port in pairs_of(settings.brokers):
        if settings.security in (KafkaSecurity.PLAINTEXT, KafkaSecurity.SASL_PLAINTEXT):
            reach.need_listed(host, port, "without TLS")
    if settings.security in (KafkaSecurity.SASL_PLAINTEXT, KafkaSecurity.SASL_SSL):
        _need(credentials, "user", "secret")


def _check_stripe(settings: StripeSettings, credentials: Credentials) -> None:
    check_customer(settings.customer)
    _need(credentials, "secret")
    for secret in filter(None, (credentials.secret, credentials.second_secret)):
        if not secret.startswith("whsec_") or len(secret) < 20 or not secret.isascii():
            raise SettingsInvalid("A signing secret of Stripe begins with whsec_; the page of the endpoint shows it.")


def _check_plaid(settings: PlaidSettings, credentials: Credentials, reach: Reach) -> None:
    reach.door().check(settings.address)
    _need(credentials, "user", "secret", "items")
    customers = [item.customer_id for item in credentials.items]
    if len(set(customers)) != len(customers):
        raise SettingsInvalid("Each customer has one access token; one of them is there twice.")


def _check_postgres(settings: PostgresSettings, credentials: Credentials, reach: Reach) -> None:
    if settings.tls == "disable":
        reach.need_listed(settings.host, settings.port, "without TLS")
    if settings.columns and not {settings.cursor, *settings.key} <= set(settings.columns):
        raise SettingsInvalid("The columns to read must hold the cursor and the key.")
    if credentials.items:
        raise SettingsInvalid("A table has no access tokens.")


def sentence(error: Exception) -> str:
    """An error for people."""
    return error.detail if isinstance(error, FinerError) else f"{type(error).__name__}: {error}"[:500]
