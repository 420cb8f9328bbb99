"""A Kafka topic. Offsets are kept in the transaction of the records; the group at Kafka only hears of them."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
import uuid
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from finer.ingest.types.records import FieldError, ParsedGroup, RefusedRecord
from finer.kit.errors import InvalidInput
from finer.sources.errors import SourceFailed, SourceMisconfigured
from finer.sources.rules.hosts import pairs_of, written_brokers
from finer.sources.service.reach import Reach
from finer.sources.service.readers.target import TRIAL_ROWS, Target, newest
from finer.sources.types import Credentials, KafkaFormat, KafkaSecurity, KafkaSettings, Memory, Page, Position

_MESSAGES = 2_000
_WAIT_S = 0.5
_ASK_S = 10.0
_RAW_MAX = 1 << 16
_ARROW_BYTES_MAX = 128 << 20
_HOPELESS = frozenset(
    {
        KafkaError._AUTHENTICATION, KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)  # fmt: skip


class _Record(NamedTuple):
    """A message: where it is, and what it holds."""

    partition: int
    offset: int
    value: bytes


class KafkaReader:
    """Reads the partitions that the group gives it, each from the offset behind the last one taken."""

    every_s = 0.0

    def __init__(
        self,
        settings: KafkaSettings,
        credentials: Credentials,
        reach: Reach,
        target: Target,
        memory: Memory,
        *,
        backfill: str = "",
        trial: bool = False,
    ) -> None:
        """Connects, and looks at where the brokers lead. Raises SourceFailed, SourceMisconfigured."""
        self._settings, self._target, self._memory = settings, target, memory
        self._backfill, self._trial = backfill, trial
        self._begin: Page | None = None
        self._next: dict[int, int] = {}
        self._trouble: SourceFailed | SourceMisconfigured | None = None
        for host, port in pairs_of(settings.brokers):
            reach.address_of(host, port)
        self._ca = _ca_file(credentials)
        self._consumer = Consumer(
            _configuration(settings, credentials, self._ca, trial=trial) | {"error_cb": self._heard}
        )
        try:
            partitions = self._look(reach)
            if trial:
                self._consumer.assign([TopicPartition(settings.topic, one, OFFSET_BEGINNING) for one in partitions])
            else:
                self._consumer.subscribe([settings.topic], on_assign=self._assigned, on_revoke=self._revoked)
        except BaseException:
            self.close()
            raise

    def sweep(self) -> Iterator[Page]:
        """One batch of messages, of which each partition is a page."""
        messages = self._consume()
        if self._begin is not None:
            page, self._begin = self._begin, None
            yield page
        parts: dict[int, list[_Record]] = {}
        for message in messages:
            parts.setdefault(message.partition, []).append(message)
        for partition, members in sorted(parts.items()):
            self._next[partition] = members[-1].offset + 1
            page = self._page(partition, members)
            page.lag, page.lag_unit = self._lag(), "messages"
            yield page
            # It is in the log: the group may hear of it, so that the tools of Kafka show how far it is.
            with contextlib.suppress(KafkaException):
                self._consumer.store_offsets(offsets=[self._at(partition, self._next[partition])])
        if not parts and self._next:
            yield Page(lag=self._lag(), lag_unit="messages")

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
        if self._ca is not None:
            self._ca.close()

    def _consume(self) -> list[_Record]:
        deadline = time.monotonic() + (_ASK_S if self._trial else 0.0)
        while True:
            try:
                found = self._consumer.consume(TRIAL_ROWS if self._trial else _MESSAGES, _WAIT_S)
            except KafkaException as error:
                raise _said(error.args[0]) from error
            messages = [_record(one) for one in found if _is_record(one)]
            if messages:
                return messages
            if self._trouble is not None:
                raise self._trouble
            if time.monotonic() >= deadline:
                return []

    def _look(self, reach: Reach) -> list[int]:
        """The partitions of the topic, when every broker that the cluster names may be connected to."""
        try:
            cluster = self._consumer.list_topics(self._settings.topic, timeout=_ASK_S)
        except KafkaException as error:
            raise self._trouble or _said(error.args[0]) from error
        for broker in cluster.brokers.values():
            reach.address_of(broker.host, broker.port)
        topic = cluster.topics[self._settings.topic]
        if topic.error is not None or not topic.partitions:
            raise SourceMisconfigured(
                f"The cluster has no topic {self._settings.topic}, or does not show it to this user."
            )
        return sorted(topic.partitions)

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Begin each partition where the log says; called while messages are asked for."""
        try:
            stored = {} if self._backfill else self._memory.positions()
            starts, page = [], Page(restart=bool(self._backfill))
            for one in given:
                part = f"{one.topic}/{one.partition}"
                low, high = consumer.get_watermark_offsets(one, timeout=_ASK_S)
                if part in stored:
                    offset = self._continued(part, int(stored[part]["offset"]), low, high, page)
                else:
                    offset = self._first(consumer, one, low, high)
                    page.positions.append(Position(part, {"offset": offset}))
                self._next[one.partition] = offset
                starts.append(self._at(one.partition, offset))
            consumer.assign(starts)
            if page.positions or page.notes:
                self._begin, self._backfill = page, ""
        except KafkaException as error:
            self._trouble = _said(error.args[0])
        except (SourceFailed, SourceMisconfigured) as error:
            self._trouble = error

    def _revoked(self, _consumer: Consumer, taken: list[TopicPartition]) -> None:
        # What was read of them has been taken already: pages are handed over before messages are asked for again.
        for one in taken:
            self._next.pop(one.partition, None)

    def _continued(self, part: str, offset: int, low: int, high: int, page: Page) -> int:
        if offset > high:
            raise SourceMisconfigured(
                f"{part} ends at offset {high}, and was read to {offset}: the topic was made again. Backfill from "
                "earliest to read the new one."
            )
        if offset < low:
            page.notes.append(f"Kafka deleted offsets {offset} to {low - 1} of {part} before they were read.")
            page.positions.append(Position(part, {"offset": low}))
        return max(offset, low)

    def _first(self, consumer: Consumer, one: TopicPartition, low: int, high: int) -> int:
        begin = self._backfill or self._settings.begin
        if begin in ("earliest", "latest"):
            return low if begin == "earliest" else high
        at = int(datetime.fromisoformat(begin).timestamp() * 1000)
        [found] = consumer.offsets_for_times([TopicPartition(one.topic, one.partition, at)], timeout=_ASK_S)
        return found.offset if found.offset >= 0 else high

    def _lag(self) -> int:
        waiting = 0
        for partition, following in self._next.items():
            _, high = self._consumer.get_watermark_offsets(self._at(partition), cached=True)
            waiting += max(0, high - following)
        return waiting

    def _at(self, partition: int, offset: int = OFFSET_INVALID) -> TopicPartition:
        return TopicPartition(self._settings.topic, partition, offset)

    def _heard(self, error: KafkaError) -> None:
        """What the library says beside messages: it tries again by itself, so only what lasts counts."""
        if error.fatal() or error.code() in _HOPELESS or error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._trouble = _said(error)

    def _page(self, partition: int, messages: Sequence[_Record]) -> Page:
        topic = self._settings.topic
        first, last = messages[0].offset, messages[-1].offset
        page = Page(positions=[Position(f"{topic}/{partition}", {"offset": last + 1})])
        page.what = f"{topic}/{partition} {first}-{last}"
        filled = [one for one in messages if one.value]
        if empty := len(messages) - len(filled):
            page.notes.append(f"Messages of {page.what} that are empty and hold no record: {empty}.")
        if self._settings.format is KafkaFormat.ARROW:
            for one in filled:
                page.groups += self._arrow(one, f"{topic}/{partition} {one.offset}")
        elif filled:
            page.groups = self._lines(filled, page.what)
        page.last_record_at = newest(page.groups)
        return page

    def _lines(self, messages: Sequence[_Record], what: str) -> list[ParsedGroup]:
        """Messages as lines of one body; a refused record has the offset of its message in the place of a line."""
        values = [one.value for one in messages]
        if self._settings.format is KafkaFormat.JSON:
            # A line break inside a text is escaped in JSON, so what is left are blanks between the parts.
            values = [value.replace(b"\n", b" ").replace(b"\r", b" ") for value in values]
        ends = list(accumulate(value.count(b"\n") + 1 for value in values))
        body = io.BytesIO(b"\n".join(values))
        groups = []
        for group in self._target.groups(body, "messages.ndjson", what):
            for result in group.parsed.bodies:
                result.refused = [
                    msgspec.structs.replace(one, line=messages[bisect_left(ends, one.line)].offset)
                    for one in result.refused
                ]
            groups.append(group.parsed)
        return groups

    def _arrow(self, message: _Record, what: str) -> list[ParsedGroup]:
        """The record batches of a message; one that cannot be read, or says too much, is refused as a whole."""
        groups: list[ParsedGroup] = []
        size = 0
        try:
            for group in self._target.groups(io.BytesIO(message.value), "message.arrow", what):
                refused = group.parsed.bodies[0].refused
                size += group.parsed.batch.nbytes + sum(len(one.raw) for one in refused)
                if size > _ARROW_BYTES_MAX:
                    return [self._poison(message, what, f"Its records take more than {_ARROW_BYTES_MAX >> 20} MiB.")]
                groups.append(group.parsed)
        except InvalidInput as error:
            return [self._poison(message, what, error.detail)]
        return groups

    def _poison(self, message: _Record, what: str, reason: str) -> ParsedGroup:
        value = message.value
        refused = RefusedRecord(
            line=message.offset, raw=value[:_RAW_MAX], raw_bytes=len(value), sha256=sha256(value).digest(),
            errors=[FieldError("", "unreadable", "", f"The message cannot be read: {reason}")],
        )  # fmt: skip
        return self._target.refused(refused, what)


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.code() != KafkaError._PARTITION_EOF:
        raise _said(error)
    return False


def _record(message: Message) -> _Record:
    return _Record(message.partition() or 0, message.offset() or 0, message.value() or b"")


def _configuration(
    settings: KafkaSettings, credentials: Credentials, ca: Any, *, trial: bool
) -> dict[str, str | int | bool | Any]:
    found: dict[str, Any] = {
        # Written anew from what was looked at: the library reads addresses with rules of its own.
        "bootstrap.servers": written_brokers(pairs_of(settings.brokers)),
        # A look must not take partitions away from the source that reads them.
        "group.id": f"{settings.group}-look-{uuid.uuid4().hex[:8]}" if trial else settings.group,
        "client.id": "finer",
        "security.protocol": settings.security.value,
        "isolation.level": "read_committed",
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": 16_384,
        "fetch.max.bytes": 16 << 20,
        "fetch.message.max.bytes": 4 << 20,
        "socket.connection.setup.timeout.ms": 5_000,
        "session.timeout.ms": 30_000,
        "allow.auto.create.topics": False,
        "log_level": 0,
    }
    if settings.security in (KafkaSecurity.SASL_PLAINTEXT, KafkaSecurity.SASL_SSL):
        found |= {"sasl.mechanism": settings.mechanism, "sasl.username": credentials.user,
                  "sasl.password": credentials.secret}  # fmt: skip
    if ca is not None:
        found["ssl.ca.location"] = ca.name
    return found


def _ca_file(credentials: Credentials) -> Any:
    """The certificate authority as a file, which is all that the library takes; None without one."""
    if not credentials.ca:
        return None
    file = tempfile.NamedTemporaryFile("w", prefix="finer-ca-", suffix=".pem")  # noqa: SIM115 - closed by close()
    file.write(credentials.ca)
    file.flush()
    return file


def _said(error: KafkaError) -> SourceFailed | SourceMisconfigured:
    sentence = f"Kafka says: {error.str()}"
    if error.code() in _HOPELESS:
        return SourceMisconfigured(sentence)
    return SourceFailed(sentence)
