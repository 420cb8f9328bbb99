"""The file that a person may ask for: everything that is kept of them, and why, for people and for machines to read."""

from __future__ import annotations

from typing import Any

import msgspec

from finer.decisions.service import alerts as decisions
from finer.identity.service import people, sessions
from finer.ingest.service import contracts
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.privacy.errors import StepNotPossible
from finer.privacy.rules.page import page
from finer.privacy.rules.workflow import FILES
from finer.privacy.service.catalogue import catalogue
from finer.privacy.service.requests import get_request, note_download
from finer.privacy.types import RequestState, SubjectKind
from finer.screening.service import subjects as screening
from finer.screening.types import SubjectKind as ScreenedKind
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service.shown import confidential_columns

_ROWS_MAX = 5_000


def export_file(tx: Tx, settings: Settings, reader: warehouse.LakeReader, request_id: str, *, html: bool) -> bytes:
    """The file of an approved request, made now and kept nowhere. Raises StepNotPossible before it is approved."""
    request = get_request(tx, request_id).request
    if request.kind not in FILES or request.state is not RequestState.READY:
        raise StepNotPossible(
            "There is a file when a request for access or portability was approved, until it is closed."
        )
    document = person_document(tx, settings, reader, request.subject_kind, request.subject)
    note_download(tx, request, "HTML" if html else "JSON")
    return page(document).encode() if html else msgspec.json.format(msgspec.json.encode(document), indent=2)


def person_document(
    tx: Tx, settings: Settings, reader: warehouse.LakeReader, kind: SubjectKind, subject: str
) -> dict[str, Any]:
    """What is kept of a person, by part, each with the purposes from the catalogue."""
    if kind is SubjectKind.USER:
        records = _user(tx, settings, subject)
    elif kind is SubjectKind.PAYEE:
        records = _payee(tx, subject)
    else:
        records = _customer(tx, reader, subject)
    why = [
        {"what": f"{part.record or place}: {field.about}", "purpose": part.purpose, "ground": part.lawful_basis,
         "kept": part.retention, "recipients": ", ".join(part.recipients)}
        for place, part in catalogue().parts()
        if (part.record or place) in records
        for field in part.personal.values()
    ]  # fmt: skip
    return {
        "about": {"kind": kind.value, "id": subject, "made_at": tx.now().isoformat(timespec="seconds")},
        "why": why,
        "records": records,
    }


def _customer(tx: Tx, reader: warehouse.LakeReader, customer_id: str) -> dict[str, list[Any]]:
    alerts = [msgspec.to_builtins(one) for one in decisions.alerts_of_customer(tx, customer_id)]
    in_lake = warehouse.records_of_customer(reader, tx.tenant, customer_id, _ROWS_MAX)
    # What goods cost is a secret of the firm and says nothing of who bought them.
    secret = confidential_columns(contracts.load(tx))
    names = {warehouse.table_of(contract): f"lake.{contract}" for contract in catalogue().contracts}
    return {"alerts": alerts} | {
        names.get(table, table): [_plain(row, secret.get(table, frozenset())) for row in rows]
        for table, rows in in_lake.items()
    }


def _payee(tx: Tx, reference: str) -> dict[str, list[Any]]:
    kept, hits = screening.kept(tx, ScreenedKind.PAYEE, reference)
    return {
        "screened": [] if kept is None else [msgspec.to_builtins(kept)],
        "hits": [msgspec.to_builtins(one) for one in hits],
    }


def _user(tx: Tx, settings: Settings, shown: str) -> dict[str, list[Any]]:
    user = people.get_user(tx, read_id("usr", shown))
    found = sessions.list_sessions(tx, settings, user.id)
    return {
        "person": [{"name": user.name, "email": user.email, "role": user.role.value}],
        "sessions": [msgspec.to_builtins(one) for one in found],
    }


def _plain(row: dict[str, Any], without: frozenset[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if value is not None and not name.startswith("log_") and name not in without
    }
