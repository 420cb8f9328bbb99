"""Erasing a person everywhere: their keys, and their name in the records that have to stay."""

from __future__ import annotations

import secrets

from finer.decisions.service import alerts as decisions
from finer.fraud.service import forgotten, label_rows
from finer.identity.service import forgetting
from finer.ingest.service import quarantine
from finer.kit.crypto.fields import destroy
from finer.kit.ids import read_id
from finer.kit.tx import Tx
from finer.privacy.rules.catalogue import rewriting
from finer.privacy.service.catalogue import catalogue
from finer.privacy.service.requests import approved_erasure, finish_erasure
from finer.privacy.store.subjects import key_of
from finer.privacy.types import ErasureReport, SubjectKind
from finer.screening.service import subjects as screening
from finer.screening.types import SubjectKind as ScreenedKind
from finer.warehouse.service import exports, extracts
from finer.warehouse.service import lake as warehouse


def carry_out(tx: Tx, request_id: str, access: warehouse.LakeAccess) -> ErasureReport | None:
    """Erase the person of an approved request; None when that has been done. Done again after a failure, it goes on.

    Raises UnderHold when a hold came in between, LakeUnavailable when the lake cannot be changed now.
    """
    request = approved_erasure(tx, request_id)
    if request is None:
        return None
    if request.subject_kind is SubjectKind.USER:
        changed = forgetting.erase_user(tx, read_id("usr", request.subject))
        report = ErasureReport(changed=changed, keys_destroyed=changed.pop("keys"))
    else:
        if request.subject_kind is SubjectKind.PAYEE:
            # Payments name a payee by the firm's own id; they are records of who paid, and stay with them.
            kept, hits = screening.kept(tx, ScreenedKind.PAYEE, request.subject)
            changed = {"screened payees": int(kept is not None), "hits of screening": len(hits)}
        else:
            changed = part_customer(tx, request.subject, access)
        report = ErasureReport(
            changed=changed, keys_destroyed=destroy(tx, key_of(request.subject_kind, request.subject))
        )
    finish_erasure(tx, request, report)
    return report


def part_customer(tx: Tx, customer_id: str, access: warehouse.LakeAccess) -> dict[str, int]:
    """Part everything that is kept of a customer from them; returns what was changed, by place.

    The random names are made with a salt that is forgotten when this returns, so nobody can find them again.
    """
    salt = secrets.token_hex(32)
    changed = {"alerts": decisions.part_customer(tx, customer_id, salt)}
    changed["refused records"] = quarantine.blank_refused(tx, customer_id)
    columns = {name: dict(rewriting(part)) for name, part in catalogue().contracts.items()}
    in_lake, gone = warehouse.part_customer(access, tx.tenant, customer_id, salt, columns, forgotten.PARTED)
    changed["windows"] = forgotten.add(tx, gone)
    # The lake is asked what is parted, and not whose it was: done again after a failure, it no longer knows that.
    known = label_rows.naming(tx)
    parted = warehouse.parted_payments(access, tx.tenant, known) if known else []
    changed["rows of known frauds"] = label_rows.part(tx, parted)
    if in_lake:
        # Their files were made before, and show who it was. Done again after a failure, the lake changes no row more.
        changed["exports"] = exports.withdraw_exports(tx, access, "Records in the lake were erased. Ask again.")
        changed["extracts"] = extracts.refresh_all(tx)
    return changed | {f"rows of {table} in the lake": rows for table, rows in in_lake.items()}
