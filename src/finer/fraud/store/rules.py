"""The SQL of rules: versions, rule sets, and the offsets that they decided from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.fraud.tables import heads, pins, rule_sets, rule_versions
from finer.fraud.types import Price, RuleState, RuleText, RuleVersion
from finer.kit.tx import Tx

_t = rule_versions.c
_PLAIN = tuple(name for name in RuleVersion.__struct_fields__ if name not in ("text", "price"))
_SHOWN = (*(_t[name] for name in _PLAIN), _t.document, _t.price)
_PINNED = ("from_offset", "rule_set", "model", "threshold", "challenger", "challenger_threshold")
_ADD_PIN = f"""
insert into fraud_pins (tenant_id, stream, partition, at, {", ".join(_PINNED)})
values (%(tenant)s, %(stream)s, %(partition)s, %(at)s, {", ".join(f"%({name})s" for name in _PINNED)})
on conflict do nothing
"""  # noqa: S608 - constant column names
_ADD_SET = """
insert into fraud_rule_sets (tenant_id, version, document, made_at)
values (%(tenant)s, %(version)s, %(document)s, %(at)s) on conflict do nothing
"""


class RuleStore:
    """Rules of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def lock(self, at: datetime) -> None:
        """Let changes of a firm's rules and lists wait for each other until the transaction ends."""
        new = insert(heads).values(tenant_id=self._tenant, rule_set="", changes=1, changed_at=at)
        again = new.on_conflict_do_update(
            index_elements=[heads.c.tenant_id], set_={"changes": heads.c.changes + 1, "changed_at": at}
        )
        self._tx.connection.execute(again)

    def head(self) -> str:
        """The version of the rule set in force; empty for the built-in one."""
        query = sa.select(heads.c.rule_set).where(heads.c.tenant_id == self._tenant)
        return self._tx.connection.execute(query).scalar_one_or_none() or ""

    def set_head(self, version: str) -> None:
        """Put a rule set in force; the firm's rules are locked."""
        self._tx.connection.execute(heads.update().where(heads.c.tenant_id == self._tenant).values(rule_set=version))

    def document(self, version: str) -> str | None:
        """The text of a rule set."""
        query = sa.select(rule_sets.c.document).where(
            rule_sets.c.tenant_id == self._tenant, rule_sets.c.version == version
        )
        return self._tx.connection.execute(query).scalar_one_or_none()

    def add_set(self, version: str, document: str, at: datetime) -> None:
        """Keep a rule set; one that is there stays as it is."""
        self._tx.write(_ADD_SET, {"tenant": self._tenant, "version": version, "document": document, "at": at})

    def add_pin(self, pin: Mapping[str, Any]) -> None:
        """Note from which offset on a rule set and a model decide."""
        self._tx.write(_ADD_PIN, {"tenant": self._tenant, **pin})

    def pins(self, stream: str, partition: int) -> list[Any]:
        """The columns of _PINNED of a position, the lowest offset first."""
        query = (
            sa.select(*(pins.c[name] for name in _PINNED))
            .where(pins.c.tenant_id == self._tenant, pins.c.stream == stream, pins.c.partition == partition)
            .order_by(pins.c.from_offset)
        )
        return list(self._tx.connection.execute(query))

    def is_seeded(self) -> bool:
        """Whether the firm has rules of its own, the built-in ones being the first versions of them."""
        query = sa.select(sa.exists().where(_t.tenant_id == self._tenant))
        return bool(self._tx.connection.execute(query).scalar_one())

    def versions(self, rule: str | None = None, states: Sequence[RuleState] = ()) -> list[RuleVersion]:
        """Versions in the order of the rules, the newest of each first."""
        query = sa.select(*_SHOWN).where(_t.tenant_id == self._tenant)
        if rule is not None:
            query = query.where(_t.rule == rule)
        if states:
            query = query.where(_t.state.in_(list(states)))
        return [_version(row) for row in self._tx.connection.execute(query.order_by(_t.position, _t.version.desc()))]

    def find(self, identifier: uuid.UUID) -> RuleVersion | None:
        """One version."""
        query = sa.select(*_SHOWN).where(_t.tenant_id == self._tenant, _t.id == identifier)
        row = self._tx.connection.execute(query).one_or_none()
        return None if row is None else _version(row)

    def next_place(self, rule: str) -> tuple[int, int]:
        """The number of the next version of a rule, and the rule's place among all."""
        query = sa.select(
            sa.func.coalesce(sa.func.max(_t.version).filter(_t.rule == rule), 0) + 1,
            sa.func.coalesce(
                sa.func.max(_t.position).filter(_t.rule == rule), sa.func.coalesce(sa.func.max(_t.position), 0) + 1
            ),
        ).where(_t.tenant_id == self._tenant)
        row = self._tx.connection.execute(query).one()
        return int(row[0]), int(row[1])

    def add(self, version: RuleVersion, position: int) -> None:
        """A new version."""
        fields = {name: getattr(version, name) for name in _PLAIN}
        document = msgspec.to_builtins(version.text)
        self._tx.connection.execute(
            rule_versions.insert().values(
                tenant_id=self._tenant, position=position, document=document, price=sa.null(), **fields
            )
        )

    def change(self, identifier: uuid.UUID, **values: Any) -> None:
        """Change what is kept of a version; `text` and `price` are structures."""
        if "text" in values:
            values["document"] = msgspec.to_builtins(values.pop("text"))
        if "price" in values:
            price = values["price"]
            values["price"] = sa.null() if price is None else msgspec.to_builtins(price)
        self._tx.connection.execute(
            rule_versions.update().where(_t.tenant_id == self._tenant, _t.id == identifier).values(**values)
        )

    def delete_draft(self, identifier: uuid.UUID) -> None:
        """The draft is gone."""
        self._tx.connection.execute(
            rule_versions.delete().where(_t.tenant_id == self._tenant, _t.id == identifier, _t.state == "draft")
        )


def _version(row: Any) -> RuleVersion:
    plain = {name: getattr(row, name) for name in _PLAIN}
    plain["state"] = RuleState(row.state)
    price = None if row.price is None else msgspec.convert(row.price, Price)
    return RuleVersion(**plain, text=msgspec.convert(row.document, RuleText), price=price)
