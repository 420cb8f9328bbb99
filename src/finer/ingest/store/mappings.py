"""The SQL of mappings that refused records came by: each is kept once, under the hash of its content."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable

import msgspec

from finer.ingest.types.records import Mapping
from finer.kit.tx import Tx


class MappingStore:
    """Mappings of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def keep(self, mapping: Mapping | None) -> uuid.UUID | None:
        """The id of a mapping; None for none."""
        if mapping is None:
            return None
        document = msgspec.json.encode(mapping)
        identifier = uuid.UUID(bytes=hashlib.sha256(document).digest()[:16])
        self._tx.write(
            "insert into ingest_mappings (tenant_id, id, document, created_at) values (%(tenant)s, %(id)s, "
            "%(document)s, %(at)s) on conflict do nothing",
            {"tenant": self._tenant, "id": identifier, "document": document.decode(), "at": self._tx.now()},
        )
        return identifier

    def known(self, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Mapping]:
        """The mappings with these ids."""
        wanted = list({one for one in ids if one is not None})
        if not wanted:
            return {}
        rows = self._tx.connection.exec_driver_sql(
            "select id, document from ingest_mappings where tenant_id = %s and id = any(%s)", (self._tenant, wanted)
        )
        return {row.id: msgspec.json.decode(row.document, type=Mapping) for row in rows}

    def forget(self) -> None:
        """Delete mappings that no record names any more."""
        self._tx.connection.exec_driver_sql(
            "delete from ingest_mappings as m where m.tenant_id = %s and m.created_at < now() - interval '1 day' and "
            "not exists (select from ingest_quarantined_records as q where q.tenant_id = m.tenant_id "
            "and q.mapping_id = m.id)",
            (self._tenant,),
        )
