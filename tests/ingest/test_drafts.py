"""Contracts of a firm: drafts, their trial on a real lake and quarantine, publication by a second person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from finer.app.contracts import Registry
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.trials import try_draft
from finer.identity.errors import OwnProposal, PermissionMissing, ProposalNotFound, ProposalStale
from finer.identity.service import proposals
from finer.identity.types.access import Role, User
from finer.identity.types.proposals import Proposal, ProposalState
from finer.ingest.errors import ContractInvalid, ContractNotAcceptable, DraftChanged, UnknownContract, VersionNotFound
from finer.ingest.rules.contract import check_contract
from finer.ingest.service import contracts, drafts, exports, parsing, receipts
from finer.ingest.types.contracts import ContractVersion
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeBatch
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.ingest.contract_texts import document, field, text, with_field, with_options
from tests.ingest.records import line, lines
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
KIND = drafts.FIRST_DRAFT.format(name="parcel")


def _acting(user: User) -> Actor:
    return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value)


@pytest.fixture
def engineers(firm: Firm) -> tuple[Actor, Actor]:
    """Two data engineers."""
    return _acting(firm.user(Role.DATA_ENGINEER)), _acting(firm.user(Role.DATA_ENGINEER))


@pytest.fixture
def reader(database_url: str, tmp_path: Path) -> Iterator[warehouse.LakeReader]:
    """Lakes in a folder of this test."""
    found = warehouse.LakeReader(database_url, Settings(data_dir=str(tmp_path)), memory_mb=256, threads=1)
    yield found
    found.close()


def _draft(firm: Firm, actor: Actor, name: str, body: str) -> ContractVersion:
    with firm.tx(actor) as tx:
        return drafts.create(tx, name, body, "why")


def _tried(
    firm: Firm, actor: Actor, jobs: Database, reader: warehouse.LakeReader, draft: ContractVersion
) -> ContractVersion:
    with firm.tx(actor) as tx:
        drafts.begin_trial(tx, draft.id, draft.revision)
    try_draft(jobs, reader, firm.tenant.id, draft.id, draft.revision)
    with firm.tx(actor) as tx:
        return drafts.get_version(tx, draft.id)


def _propose(firm: Firm, actor: Actor, draft: ContractVersion) -> Proposal:
    with firm.tx(actor) as tx:
        payload = drafts.publication(drafts.proposable(tx, draft.id, draft.revision))
        return proposals.propose(tx, PROPOSAL_KINDS, drafts.PUBLISH, payload, "Shops ask for it.")


def _approve(firm: Firm, actor: Actor, proposal: Proposal) -> Proposal:
    with firm.tx(actor) as tx:
        return proposals.decide(
            tx, PROPOSAL_KINDS, proposal.id, approve=True, sha256=proposal.payload_sha256, reason="I read it."
        )


def _send(firm: Firm, registry: Registry, name: str, data: bytes) -> Receipt:
    parsed = parsing.parse_bodies(registry.of(firm.tenant.id).named(name), [Body(data=data)], firm.settings)
    with firm.tx() as tx:
        (answer,) = receipts.append(tx, parsed, 1)
    assert isinstance(answer, Receipt)
    return answer


def test_b11_a_version_is_published_by_a_second_person_while_records_come_in(
    firm: Firm,
    other_firm: Firm,
    engineers: tuple[Actor, Actor],
    worker_database: Database,
    reader: warehouse.LakeReader,
) -> None:
    maker, checker = engineers
    registry = Registry(firm.database)
    record = line(event_id="a", loyalty_id="L1")
    before = _send(firm, registry, "transaction", record)
    assert (before.contract_version, before.unknown_fields) == ("1.0.0", ["loyalty_id"])

    draft = _draft(firm, maker, "transaction", with_field())
    with pytest.raises(ContractNotAcceptable, match="Try this draft first"):
        _propose(firm, maker, draft)
    draft = _tried(firm, maker, worker_database, reader, draft)
    proposal = _propose(firm, maker, draft)
    with pytest.raises(OwnProposal):
        _approve(firm, maker, proposal)
    with pytest.raises((PermissionMissing, ProposalNotFound)):
        _approve(firm, _acting(firm.user(Role.RISK_ANALYST)), proposal)
    with firm.tx(checker) as tx:
        assert [one.id for one in proposals.list_proposals(tx, PROPOSAL_KINDS, ProposalState.WAITING)] == [proposal.id]
        lines_ = drafts.describe_publication(tx, proposals.payload_of(proposal))
    assert [one.after for one in lines_ if one.what == "Change"] == ["loyalty_id is new; records may come without it."]
    assert _approve(firm, checker, proposal).state is ProposalState.EXECUTED

    registry.notified(str(firm.tenant.id))
    after = _send(firm, registry, "transaction", record)
    assert (after.contract_version, after.unknown_fields) == ("1.1.0", [])
    assert registry.of(other_firm.tenant.id).named("transaction").version == "1.0.0"
    known = registry.of(firm.tenant.id)
    old, new = (contracts.written_with(known, f"transaction/{version}+awaited") for version in ("1.0.0", "1.1.0"))
    assert old is not None
    assert new is not None
    assert [one.version for one in (old, new)] == ["1.0.0", "1.1.0"]
    assert contracts.written_with(known, "transaction/9.9.9") is None
    earlier = contracts.written_with(known, "order/1.0.0")
    assert earlier is not None
    assert "unit_cost" not in [one.name for one in earlier.fields]
    with firm.tx() as tx:
        assert "version: 1.0.0" in drafts.text_of(tx, "order", "1.0.0")
    assert contracts.stand_in(known, "transaction/9.9.9").version == "1.1.0"
    assert contracts.stand_in(known, "gone/1.0.0").fields == ()


def test_two_publications_of_the_same_state_are_not_both_done(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader
) -> None:
    maker, checker = engineers
    made = []
    for body in (with_field(), with_field(version="1.2.0", name="shop_id")):
        draft = _tried(firm, maker, worker_database, reader, _draft(firm, maker, "transaction", body))
        made.append(_propose(firm, maker, draft))
    _approve(firm, checker, made[0])
    with pytest.raises((ProposalStale, ContractNotAcceptable)):
        _approve(firm, checker, made[1])
    with firm.tx(checker) as tx:
        assert contracts.load(tx).named("transaction").version == "1.1.0"


def test_a_field_that_comes_back_has_the_type_that_it_had(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader
) -> None:
    maker, checker = engineers
    for body in (with_field(), text(document(version="2.0.0"))):
        draft = _tried(firm, maker, worker_database, reader, _draft(firm, maker, "transaction", body))
        _approve(firm, checker, _propose(firm, maker, draft))
    found = document(version="2.1.0")
    again = {"name": "loyalty_id", "logicalType": "integer", "physicalType": "integer", "description": "A number."}
    found["schema"][0]["properties"].append(again)
    with firm.tx(maker) as tx:
        _, _, problems = drafts.validate(tx, text(found), "transaction")
        _, _, same = drafts.validate(tx, with_field("2.1.0"), "transaction")
    assert [sentence.split(",")[0] for sentence in problems] == ["loyalty_id changes its type"]
    assert same == []


def test_a_new_kind_of_record_is_taken_once_it_is_published(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader
) -> None:
    maker, checker = engineers
    registry = Registry(firm.database)
    with pytest.raises(UnknownContract, match="parcel"):
        registry.of(firm.tenant.id).named("parcel")
    draft = _tried(firm, maker, worker_database, reader, _draft(firm, maker, "parcel", KIND))
    assert draft.trial is not None
    assert (draft.trial.state, draft.trial.checked) == ("done", 0)
    _approve(firm, checker, _propose(firm, maker, draft))
    registry.notified("")
    answer = _send(firm, registry, "parcel", b'{"occurred_at": "2026-11-20T10:00:00Z"}\n{}')
    assert (answer.accepted, answer.quarantined, answer.contract_version) == (1, 1, "1.0.0")
    with firm.tx(maker) as tx:
        assert "| event_id |" in exports.export(tx, "parcel", None, "markdown")
        assert '"occurred_at"' in exports.export(tx, "parcel", "1.0.0", "json-schema")
        assert exports.export(tx, "parcel", None, "odcs") == KIND
        with pytest.raises(VersionNotFound):
            exports.export(tx, "parcel", "7.0.0", "odcs")


def test_a_trial_tells_what_would_have_been_quarantined_and_released(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader,
    database_url: str, tmp_path: Path,
) -> None:  # fmt: skip
    registry = Registry(firm.database)
    body = b"\n".join(
        line(event_id=f"e{i}", amount=i + 0.25, currency="USD" if i % 2 else "BHD") for i in range(1, 101)
    )
    refused = line(event_id="q1", type="gift") + b"\n" + line(event_id="q2", amount=-1) + b"\n{broken"
    _send(firm, registry, "transaction", refused)
    now = datetime.now(UTC)
    batch = parsing.parse_group(contracts.contract("transaction"), [Body(data=body)], now).batch
    writer = warehouse.LakeWriter(database_url, Settings(data_dir=str(tmp_path)))
    writer.put(
        LakeBatch(
            tenant=firm.tenant.id, stream="transaction", partition=0, next_offset=100, events=batch,
            offsets=np.arange(100, dtype=np.int64),
        )
    )  # fmt: skip
    assert writer.flush()
    writer.close()
    found = document(version="2.0.0")
    field(found, "type")["quality"][0]["mustBe"].append("gift")
    field(found, "amount")["logicalTypeOptions"] |= {"maximum": 90, "exclusiveMaximum": True}
    draft = _tried(firm, engineers[0], worker_database, reader, _draft(firm, engineers[0], "transaction", text(found)))
    trial = draft.trial
    assert trial is not None
    assert (trial.state, trial.expected, trial.checked, trial.refused) == ("done", 100, 100, 11)
    (cause,) = trial.causes
    assert (cause.field, cause.rule, cause.records) == ("amount", "range", 11)
    assert cause.keys == ["e90", "e91", "e92", "e93", "e94"]
    assert cause.reason == "amount is 90.25; it must be more than 0 and less than 90."
    assert (trial.quarantined, trial.released, trial.unreadable) == (3, 1, 1)


def test_a_trial_of_another_text_is_not_the_trial_of_this_one(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader
) -> None:
    maker, _ = engineers
    draft = _tried(firm, maker, worker_database, reader, _draft(firm, maker, "transaction", with_field()))
    with firm.tx(maker) as tx:
        changed = drafts.change(tx, draft.id, with_field(name="shop_id"), "better", draft.revision)
    assert (changed.revision, changed.trial) == (2, None)
    with firm.tx(maker) as tx, pytest.raises(DraftChanged, match="revision 2"):
        drafts.change(tx, draft.id, with_field(), "late", 1)
    with pytest.raises(ContractNotAcceptable, match="Try this draft"):
        _propose(firm, maker, changed)
    with firm.tx(maker) as tx:
        drafts.discard(tx, draft.id, 2)
    with firm.tx(maker) as tx, pytest.raises(VersionNotFound):
        drafts.get_version(tx, draft.id)
    try_draft(worker_database, reader, firm.tenant.id, draft.id, 2)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (with_options("amount", "1.1.0", maximum=5), "need at least 2.0.0"),
        (with_field("1.0.1"), "at least 1.1.0"),
        (with_field("0.9.0"), "too low"),
        (text(document(version="1.0.1")), "says the same"),
    ],
)
def test_a_version_that_is_too_low_is_not_published(
    firm: Firm, engineers: tuple[Actor, Actor], body: str, problem: str
) -> None:
    draft = _draft(firm, engineers[0], "transaction", body)
    with firm.tx(engineers[0]) as tx:
        _, _, problems = drafts.validate(tx, draft.document, "transaction")
    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize("name", sorted(drafts.RESERVED))
def test_the_names_of_tables_of_the_lake_are_taken(firm: Firm, name: str) -> None:
    with firm.tx() as tx:
        _, _, problems = drafts.validate(tx, drafts.FIRST_DRAFT.format(name=name), name)
    assert "table of the lake" in problems[0]


def test_every_table_of_the_lake_is_reserved() -> None:
    tables = {warehouse.table_of(name) for name in contracts.contracts()}
    assert tables - {*contracts.contracts()} <= drafts.RESERVED


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a: &x [1]\nb: *x", "anchor or an alias"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b,*b]", "anchor"),
        ("x" * 300_000, "256|bytes"),
        ("[" * 5_000, "nested deeper"),
        ("a:\n" + "".join(f"  - {i}\n" for i in range(25_000)), "more than 20,000 values"),
        ("name: a\nname: b", "line 2 gives 'name' again"),
        ("a: [\n", "not YAML"),
        ("\x00", "not YAML"),
        (KIND.replace("1.0.0", "one"), "semantic versioning"),
        (KIND.replace("name: event_id", "name: Event"), "lower case"),
        (KIND.replace("name: occurred_at", "name: received_at"), "received_at"),
        (KIND.replace("value: [occurred_at]", "value: [nothing]"), "'nothing' is not a field"),
        (KIND.replace("maxLength: 64", 'maxLength: 64, pattern: "(?=x)"'), "RE2"),
        (KIND.replace("maxLength: 64", "maxLength: many"), "whole number"),
        (KIND.replace('minimum: "1970-01-01T00:00:00Z"', "minimum: never"), "not a timestamp"),
        (KIND.replace("name: parcel", "name: other", 1), "contract other"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_text_is_refused_with_a_sentence(firm: Firm, body: str, message: str) -> None:
    with firm.tx() as tx, pytest.raises((ContractInvalid, ContractNotAcceptable), match=message):
        drafts.create(tx, "parcel", body, "")


def test_a_mistake_is_told_with_its_line() -> None:
    body = KIND.replace("logicalType: date", "logicalType: day")
    with pytest.raises(ContractInvalid) as raised:
        check_contract(body, "parcel")
    assert raised.value.line == body[: body.index("- name: occurred_at")].count("\n") + 1


def test_a_contract_with_very_many_columns_is_refused() -> None:
    column = "\n      - {name: c%d, logicalType: string}"
    with pytest.raises(ContractInvalid, match="at most 62"):
        check_contract(KIND.rstrip() + "".join(column % i for i in range(3_000)), "parcel")
    with pytest.raises(ContractInvalid, match="bytes"):
        check_contract(KIND.rstrip() + "".join(column % i for i in range(1_000_000)), "parcel")


def test_the_database_keeps_what_was_published(
    firm: Firm, engineers: tuple[Actor, Actor], worker_database: Database, reader: warehouse.LakeReader
) -> None:
    maker, checker = engineers
    draft = _tried(firm, maker, worker_database, reader, _draft(firm, maker, "parcel", KIND))
    _approve(firm, checker, _propose(firm, maker, draft))
    for statement in (
        "update ingest_contract_versions set document = 'x'",
        "update ingest_contract_versions set state = 'draft', published_at = null",
        "delete from ingest_contract_versions",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="not changed any more"), firm.tx() as tx:
            tx.write(statement, ())
    with firm.tx() as tx, pytest.raises(DraftChanged):
        drafts.change(tx, draft.id, KIND, "", draft.revision)


def test_records_in_the_log_before_a_version_lack_its_columns_and_are_completed() -> None:
    found = document(version="2.0.0")
    found["schema"][0]["properties"].remove(field(found, "mcc"))
    contract = check_contract(text(found), "transaction")
    batch = parsing.parse_group(contract, [Body(data=lines(2))], datetime(2026, 11, 20, 12, tzinfo=UTC)).batch
    assert "mcc" not in batch.schema.names
    whole = contracts.completed(batch, contract)
    assert whole.column("mcc").null_count == 2
    assert set(contracts.contract("transaction").schema.names) <= set(whole.schema.names)
