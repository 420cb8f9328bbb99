"""One source while it is read: pages are asked for, and each is taken in a transaction of its own."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from finer.identity.service import tenants
from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, Database
from finer.kit.errors import FinerError
from finer.kit.ids import new_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.sources.errors import SourceChanged
from finer.sources.service import manage, opening, taking
from finer.sources.service.reach import Reach
from finer.sources.types import Item, Reader, Source

_log = structlog.get_logger(__name__)
_ADMIT_S = 0.5
_SWARM_S = 2.0
_T = TypeVar("_T")


class SourceRun:
    """A thread that reads one source until it fails, is changed, or is asked to stop."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        tenant: uuid.UUID,
        source: uuid.UUID,
        version: int,
        admitted: threading.Event,
    ) -> None:
        self._database, self._settings, self._tenant, self._source = database, settings, tenant, source
        self.version = version
        self._admitted = admitted
        self._stop = threading.Event()
        self._attention = threading.Event()
        """Set by whatever ends a pause before its time."""
        self._owner = new_id()
        self._thread = threading.Thread(target=self.run, name=f"source-{source}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it is still reading."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the page under way."""
        self._stop.set()
        self._attention.set()

    look_again = stop

    def wake(self) -> None:
        """There is news: read at once, or once more when it is reading."""
        self._attention.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread."""
        self._thread.join(timeout_s)

    def run(self, sweeps: int | None = None) -> None:
        """Read until there is a reason to end, or so many sweeps; whatever it is ends here."""
        structlog.contextvars.bind_contextvars(source=show_id("src", self._source), tenant=str(self._tenant))
        try:
            source = self._tx(lambda tx: manage.find(tx, self._source))
            if source.version == self.version:
                self._read(source, sweeps)
        except SourceChanged:
            _log.debug("the source has changed; it is looked at again")
        except DATABASE_GONE as error:
            _log.warning("the database is gone; the source is read on when it is back", error=str(error))
        except FinerError as error:
            _log.warning("the source could not be opened", error=error.detail)

    def _read(self, source: Source, sweeps: int | None) -> None:
        # Chance only spreads attempts over time.
        chance = random.random()  # noqa: S311
        reading = self._tx(lambda tx: taking.own(tx, source, self._owner, chance))
        progress = _Progress()
        reader: Reader | None = None
        try:
            surroundings = self._surroundings()
            credentials = self._tx(lambda tx: manage.credentials_of(tx, source.id))
            reader = opening.open_reader(source, credentials, surroundings, self)
            held, done = surroundings.contracts.named(source.contract), 0
            while not self._stop.is_set() and done != sweeps:
                if done and self._surroundings().contracts.named(source.contract) is not held:
                    return  # A version was published: the source is opened again with it.
                self._sweep(reading, reader, progress)
                self._pause(0.0 if sweeps else reader.every_s)
                done += 1
        except SourceChanged:
            raise
        except DATABASE_GONE:
            raise
        except Exception as error:  # noqa: BLE001 - one source's failure, whatever it is, must not stop the others
            if not isinstance(error, FinerError):
                _log.exception("a source could not be read")
            self._fail(source, error, progress, chance)
        finally:
            if reader is not None:
                reader.close()

    def _pause(self, seconds: float) -> None:
        """Rest between two sweeps; news ends it, but not at once: they come in swarms."""
        if self._stop.wait(min(seconds, _SWARM_S)):
            return
        self._attention.wait(max(0.0, seconds - _SWARM_S))
        self._attention.clear()

    def _fail(self, source: Source, error: Exception, progress: _Progress, chance: float) -> None:
        failures = 1 if progress.made else source.failures + 1
        known = msgspec.structs.replace(source, error="") if progress.made else source
        with self._database.transaction(self._tenant, SYSTEM) as tx:
            taking.fail(tx, known, self._owner, error, failures, chance)

    def _sweep(self, reading: taking.Reading, reader: Reader, progress: _Progress) -> None:
        pages = reader.sweep()
        for page in pages:
            while page.groups and not self._admitted.wait(_ADMIT_S):
                if self._stop.is_set():
                    return
            if self._stop.is_set():
                return
            self._tx(lambda tx, page=page: taking.take(tx, reading, page, self._settings.partitions))  # type: ignore[misc]
            progress.made = True
        if not progress.settled:
            self._tx(lambda tx: taking.settle(tx, reading))
            progress.made = progress.settled = True

    def _surroundings(self) -> opening.Surroundings:
        with self._database.transaction(self._tenant, SYSTEM, read_only=True) as tx:
            return opening.surroundings_of(tx, Reach.of(self._settings, tenants.get_tenant(tx).slug))

    def _tx(self, work: Callable[[Tx], _T]) -> _T:
        with self._database.transaction(self._tenant, SYSTEM) as tx:
            return work(tx)

    def positions(self) -> dict[str, dict[str, Any]]:
        """Where every part stands."""
        return self._tx(lambda tx: taking.positions(tx, self._source))

    def items(self, names: Sequence[str]) -> dict[str, Item]:
        """The newest item of each name."""
        return self._tx(lambda tx: taking.items(tx, self._source, names))

    def saw(self, names: Sequence[str]) -> None:
        """Note that these items are still there."""
        self._tx(lambda tx: taking.saw(tx, self._source, names))

    def content(self, content: bytes) -> Item | None:
        """The item that was taken with this content."""
        return self._tx(lambda tx: taking.content(tx, self._source, content))

    def records(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What was last said of these things."""
        return self._tx(lambda tx: taking.records(tx, self._source, keys))


class _Progress:
    """Whether anything went well since the source was opened."""

    def __init__(self) -> None:
        self.made = False
        self.settled = False
