"""The SQL of suspicious activity reports, which are kept sealed."""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.decisions.tables.cases import case_reports
from finer.decisions.types.reports import Report, ReportDraft
from finer.kit.crypto.fields import seal_bytes, unseal_bytes
from finer.kit.tx import Tx

_DOCUMENT = "decisions_case_reports.document_sealed"
_c = case_reports.c


class ReportStore:
    """The reports of one tenant, one for each case."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def find(self, case: uuid.UUID) -> Report | None:
        """The draft of a case, when somebody has written one."""
        query = sa.select(case_reports).where(_c.tenant_id == self._tenant, _c.case_id == case)
        row = self._tx.connection.execute(query).one_or_none()
        if row is None:
            return None
        written = unseal_bytes(self._tx, _DOCUMENT, case, bytes(row.document_sealed))
        return Report(
            draft=msgspec.json.decode(written, type=ReportDraft), version=row.version, changed_by=row.changed_by,
            changed_at=row.changed_at, exported_at=row.exported_at,
        )  # fmt: skip

    def put(self, case: uuid.UUID, draft: ReportDraft, version: int, by: str, at: datetime) -> None:
        """Keep a draft in the place of the one before."""
        values = {
            "document_sealed": seal_bytes(self._tx, _DOCUMENT, case, msgspec.json.encode(draft)),
            "version": version,
            "changed_by": by,
            "changed_at": at,
        }
        self._tx.connection.execute(
            insert(case_reports)
            .values(tenant_id=self._tenant, case_id=case, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "case_id"], set_=values)
        )

    def exported(self, case: uuid.UUID, at: datetime) -> None:
        """It has left Finer."""
        self._tx.connection.execute(
            case_reports.update().where(_c.tenant_id == self._tenant, _c.case_id == case).values(exported_at=at)
        )
