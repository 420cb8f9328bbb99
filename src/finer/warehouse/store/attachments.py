"""Lakes attached to one DuckDB: opened when needed, the ones unused for longest closed again."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from finer.kit.late import LateModule
from finer.kit.lock_keys import LockKey
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.store.access import LakeAccess, schema_name
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.places import tenant_folder

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")


class Attachments:
    """A DuckDB with at most `capacity` idle lakes attached. Safe to use from several threads."""

    def __init__(
        self,
        access: LakeAccess,
        *,
        capacity: int,
        memory_mb: int,
        threads: int = 1,
        create: bool = False,
        conflict_retries: int = 10,
    ) -> None:
        """`create` makes a missing lake and opens for writing; without it lakes are opened to be read.

        Raises LakeUnavailable when the place of the lakes cannot be used as it is set.
        """
        _ = access.place  # told at once, not with the first use
        self._access, self._capacity, self._create = access, capacity, create
        self._users: OrderedDict[uuid.UUID, int] = OrderedDict()
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._memory_mb, self._threads, self._conflict_retries = memory_mb, threads, conflict_retries

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB, opened with its first use, which takes a third of a second of CPU and 50 MB."""
        with self._opening:
            if self._opened is None:
                opened = self._access.open(memory_mb=self._memory_mb, threads=self._threads)
                opened.execute(f"set ducklake_max_retry_count = {self._conflict_retries}")
                self._opened = opened
            return self._opened

    @contextmanager
    def use(self, tenant: uuid.UUID) -> Iterator[str]:
        """The name of the tenant's lake inside DuckDB, attached while the block runs. Raises LakeEmpty."""
        with self._lock:
            if tenant not in self._users:
                self._attach(tenant)
            self._users[tenant] += 1
            self._users.move_to_end(tenant)
        try:
            yield schema_name(tenant)
        finally:
            with self._lock:
                self._users[tenant] -= 1
                self._shrink()

    def close(self) -> None:
        """Close DuckDB with everything attached."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()

    def _attach(self, tenant: uuid.UUID) -> None:
        with self._access.catalogue() as connection:
            catalogue, lake = Catalogue(connection, tenant), schema_name(tenant)
            new = not catalogue.exists()
            if new:
                if not self._create:
                    raise LakeEmpty(
                        "Nothing has reached the lake yet. Records are there a second after they were sent."
                    )
                # Held until this connection ends: two processes never create the same lake at once.
                connection.execute("select pg_advisory_lock(%s)", (LockKey.LAKE_MADE.value,))
                catalogue.create_schema()
                self._access.place.prepare(tenant_folder(tenant))
            self.duckdb.execute(self._access.attach_statement(tenant, lake, read_only=not self._create))
            if new:
                # For the files that merging makes; those of the writer are like this anyway.
                self.duckdb.execute(f"call {lake}.set_option('parquet_compression', 'zstd')")
                self.duckdb.execute(f"call {lake}.set_option('parquet_compression_level', 1)")
        self._users[tenant] = 0

    def _shrink(self) -> None:
        idle = [tenant for tenant, users in self._users.items() if not users]
        for tenant in idle[: max(0, len(self._users) - self._capacity)]:
            self.duckdb.execute(f"detach {schema_name(tenant)}")
            del self._users[tenant]
