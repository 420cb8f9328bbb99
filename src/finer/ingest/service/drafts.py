"""Versions of a firm's contracts: written as a draft, tried on what came in, published by a second person."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from finer.identity.service.audit import record_audit
from finer.identity.types.proposals import Change
from finer.ingest.errors import ContractNotAcceptable, DraftChanged, UnknownContract, VersionNotFound
from finer.ingest.rules.contract import check_contract, version_number
from finer.ingest.rules.evolution import compare, lost_to_finer, not_publishable
from finer.ingest.service import contracts
from finer.ingest.store.contracts import ContractStore
from finer.ingest.types.contracts import Comparison, Contract, ContractVersion, DraftTrial, Level, VersionState
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.jobs import defer
from finer.kit.tx import Tx

PUBLISH = "contracts:publish"
TRY_TASK = "finer.try_contract"
TRIED = timedelta(days=7)
_NOTE_MAX = 1000
_KINDS_MAX = 200
_DRAFTS_MAX = 50
_LEVELS = {Level.MAJOR: "Breaking change", Level.MINOR: "Change", Level.PATCH: "Other words", Level.NONE: "Change"}
# Tables that the lake has beside those of the contracts; a contract of such a name would write into them.
RESERVED = frozenset(
    {
        "decisions", "labels", "transactions", "orders", "customer_profiles", "activities", "social_posts",
        "market_prices", "academic_records", "utility_payments", "system_metrics",
    }
)  # fmt: skip
FIRST_DRAFT = """\
apiVersion: v3.0.2
kind: DataContract
id: urn:finer:contract:{name}
name: {name}
version: 1.0.0
status: draft
description:
  purpose: What these records are, and what they are for.
team:
  - {{name: Who answers for it, role: owner}}
slaProperties:
  - {{property: freshness, value: 1, unit: h, description: Records are at most an hour old.}}
schema:
  - name: {name}
    logicalType: object
    physicalType: event
    customProperties:
      - property: fingerprint
        value: [occurred_at]
    properties:
      - name: event_id
        logicalType: string
        description: Names the record. A record with the same id is the same record sent again.
        required: true
        unique: true
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions: {{minLength: 1, maxLength: 64}}
        customProperties:
          - property: contentHash
            value: true
      - name: occurred_at
        logicalType: date
        physicalType: timestamp
        description: When it happened.
        required: true
        logicalTypeOptions: {{minimum: "1970-01-01T00:00:00Z"}}
"""


def list_versions(tx: Tx, contract: str | None = None) -> list[ContractVersion]:
    """Versions and drafts that the firm wrote, the newest first; built-in versions are not among them."""
    return ContractStore(tx).versions(contract)


def shown(tx: Tx, own: Sequence[ContractVersion]) -> dict[str, Contract]:
    """Every contract by name in the version in force; one that has only drafts as the newest of them says."""
    current = contracts.load(tx).current
    newest = {one.contract: one.document for one in reversed(own) if one.contract not in current}
    found = {name: check_contract(text, name) for name, text in newest.items()}
    return dict(sorted((found | dict(current)).items()))


def get_version(tx: Tx, identifier: uuid.UUID, *, lock: bool = False) -> ContractVersion:
    """One version or draft. Raises VersionNotFound."""
    found = ContractStore(tx).find(identifier, lock=lock)
    if found is None:
        raise VersionNotFound(f"There is no version {show_id('cver', identifier)}. GET /api/v1/contracts lists them.")
    return found


def text_of(tx: Tx, name: str, version: str | None = None) -> str:
    """The text of a version, of the one in force if none is given. Raises UnknownContract, VersionNotFound."""
    wanted = version or contracts.load(tx).named(name).version
    for one in list_versions(tx, name):
        if one.state is not VersionState.DRAFT and one.version == wanted:
            return one.document
    earlier = contracts.earlier_texts().get((name, wanted))
    if earlier is not None:
        return earlier
    built_in = contracts.contracts().get(name)
    if built_in is None or built_in.version != wanted:
        raise VersionNotFound(f"The contract {name} has no version {wanted[:40]!r}.")
    return contracts.built_in_texts()[name]


def assess(tx: Tx, contract: Contract) -> tuple[Comparison | None, list[str]]:
    """What a draft changes of the version in force (None for a new kind), and why it cannot be published, if so."""
    known = contracts.load(tx)
    current, built_in = known.current.get(contract.name), contracts.contracts().get(contract.name)
    earlier = [one for one in known.by_header.values() if one.name == contract.name]
    problems = not_publishable(earlier, built_in, contract)
    if current is None:
        if contract.name in RESERVED:
            problems.append(f"The name {contract.name} belongs to a table of the lake. Choose another one.")
        if len(known.current) >= _KINDS_MAX:
            problems.append(f"A firm has at most {_KINDS_MAX} contracts.")
        return None, problems
    comparison = compare(current, contract)
    problems += [] if built_in is None else lost_to_finer(built_in, contract)
    if comparison.level is Level.NONE:
        problems.append(f"It says the same as version {current.version}, which is in force.")
    elif version_number(contract.version) < version_number(comparison.lowest_version):
        kind = {Level.MAJOR: "breaking changes", Level.MINOR: "new meanings", Level.PATCH: "other words"}
        problems.append(
            f"Version {contract.version} is too low: {kind[comparison.level]} after {current.version} need at least "
            f"{comparison.lowest_version}."
        )
    return comparison, problems


def create(tx: Tx, name: str, text: str | None, note: str) -> ContractVersion:
    """A new draft; without a text it begins with the version in force, or with the least that a contract needs.

    Raises ContractInvalid with the line of a mistake, ContractNotAcceptable.
    """
    if len([one for one in list_versions(tx) if one.state is VersionState.DRAFT]) >= _DRAFTS_MAX:
        raise ContractNotAcceptable(f"A firm has at most {_DRAFTS_MAX} drafts. Discard one that nobody needs.")
    contract = _read(name, text if text is not None else _first_text(tx, name))
    draft = ContractVersion(
        id=new_id(),
        contract=name,
        version=contract.version,
        state=VersionState.DRAFT,
        document=text if text is not None else _first_text(tx, name),
        revision=1,
        note=_note(note),
        author=tx.actor.id,
        created_at=tx.now(),
        updated_at=tx.now(),
    )
    ContractStore(tx).add(draft)
    _record(tx, "contracts:draft", draft, {})
    return draft


def change(tx: Tx, identifier: uuid.UUID, text: str, note: str, revision: int) -> ContractVersion:
    """Another text for a draft. Raises ContractInvalid, DraftChanged when `revision` is not the one that is stored."""
    draft = _draft(tx, identifier, revision)
    contract = _read(draft.contract, text)
    ContractStore(tx).change_draft(
        identifier, version=contract.version, document=text, note=_note(note), author=tx.actor.id, at=tx.now()
    )
    _record(tx, "contracts:draft", draft, {"revision": revision + 1})
    return get_version(tx, identifier)


def discard(tx: Tx, identifier: uuid.UUID, revision: int) -> None:
    """Delete a draft. Raises VersionNotFound, DraftChanged."""
    draft = _draft(tx, identifier, revision)
    ContractStore(tx).delete_draft(identifier)
    _record(tx, "contracts:discard", draft, {"revision": revision})


def begin_trial(tx: Tx, identifier: uuid.UUID, revision: int) -> ContractVersion:
    """Ask for a trial: a job holds what came in within a week to the draft. Raises VersionNotFound, DraftChanged."""
    _draft(tx, identifier, revision)
    ContractStore(tx).set_trial(identifier, revision, _begun(tx, revision))
    arguments = {"tenant": str(tx.tenant), "version": str(identifier), "revision": revision}
    defer(tx, TRY_TASK, arguments, queue="trials", lock=f"trial:{tx.tenant}")
    return get_version(tx, identifier)


def begin_trial_of(tx: Tx, name: str, text: str, note: str) -> ContractVersion:
    """A draft whose trial the caller runs at once, instead of a job. Raises as `create`."""
    draft = create(tx, name, text, note)
    ContractStore(tx).set_trial(draft.id, draft.revision, _begun(tx, draft.revision))
    return get_version(tx, draft.id)


def _begun(tx: Tx, revision: int) -> DraftTrial:
    return DraftTrial(state="running", revision=revision, since=tx.now() - TRIED, started_at=tx.now())


def note_trial(tx: Tx, identifier: uuid.UUID, trial: DraftTrial) -> bool:
    """Keep what a trial has found so far; False when the draft is another one by now, and the trial is in vain."""
    return ContractStore(tx).set_trial(identifier, trial.revision, trial)


def proposable(tx: Tx, identifier: uuid.UUID, revision: int) -> ContractVersion:
    """The draft as the caller has seen it. Raises VersionNotFound, DraftChanged."""
    return _draft(tx, identifier, revision)


def publication(draft: ContractVersion) -> dict[str, Any]:
    """The payload of the proposal to publish a draft."""
    return {
        "version": show_id("cver", draft.id),
        "contract": f"{draft.contract}/{draft.version}",
        "text_sha256": hashlib.sha256(draft.document.encode()).hexdigest(),
    }


def publish_version(tx: Tx, payload: MappingType[str, Any]) -> str:
    """The state that a publication starts from. Raises VersionNotFound, DraftChanged, ContractNotAcceptable."""
    draft = _proposed(tx, payload)
    if draft.trial is None or draft.trial.state != "done" or draft.trial.revision != draft.revision:
        raise ContractNotAcceptable("Try this draft first: who approves it has to see what it would have quarantined.")
    _, problems = assess(tx, _read(draft.contract, draft.document))
    if problems:
        raise ContractNotAcceptable(" ".join(problems))
    current = contracts.load(tx).current.get(draft.contract)
    return f"{'' if current is None else current.version}:{payload['text_sha256']}"


def describe_publication(tx: Tx, payload: MappingType[str, Any]) -> list[Change]:
    """What a publication changes, one line for each change of the contract, and what the trial found."""
    draft = _proposed(tx, payload)
    comparison, _ = assess(tx, _read(draft.contract, draft.document))
    current = contracts.load(tx).current.get(draft.contract)
    before = "" if current is None else current.version
    found = [Change(f"Version of {draft.contract}", before, draft.version)]
    if comparison is not None:
        found += [Change(_LEVELS[one.level], "", one.sentence) for one in comparison.changes]
    if draft.trial is not None:
        tried = f"would have quarantined {draft.trial.refused:,} of {draft.trial.checked:,} records"
        found.append(Change("Trial", "", f"{tried}, and released {draft.trial.released:,} of those in quarantine"))
    return found


def execute_publication(tx: Tx, payload: MappingType[str, Any]) -> dict[str, Any]:
    """Put a draft into force: from now on records are held to it. Raises as `publish_version`."""
    publish_version(tx, payload)
    draft = get_version(tx, read_id("cver", str(payload["version"])), lock=True)
    store = ContractStore(tx)
    store.retire(draft.contract, tx.now())
    store.publish(draft.id, tx.actor.id, tx.now())
    tx.notify(contracts.CHANNEL, [str(tx.tenant)])
    _record(tx, PUBLISH, draft, {})
    return {"contract": draft.contract, "version": draft.version}


def _proposed(tx: Tx, payload: MappingType[str, Any]) -> ContractVersion:
    draft = get_version(tx, read_id("cver", str(payload["version"])))
    if draft.state is not VersionState.DRAFT:
        raise DraftChanged(f"{draft.contract} {draft.version} is {draft.state} already.")
    if publication(draft) != dict(payload):
        raise DraftChanged("The draft has another text than the one that was proposed. Propose it again.")
    return draft


def _draft(tx: Tx, identifier: uuid.UUID, revision: int) -> ContractVersion:
    draft = get_version(tx, identifier, lock=True)
    if draft.state is not VersionState.DRAFT:
        raise DraftChanged(f"{draft.contract} {draft.version} is {draft.state}, and no draft any more.")
    if draft.revision != revision:
        raise DraftChanged(
            f"Somebody has changed this draft: it is at revision {draft.revision}, you had {revision}. Load it again.",
            revision=draft.revision,
        )
    return draft


def _read(name: str, text: str) -> Contract:
    contract = check_contract(text, name)
    if contract.name != name:
        raise ContractNotAcceptable(f"The text is the contract {contract.name}, and this is {name}.")
    return contract


def _first_text(tx: Tx, name: str) -> str:
    try:
        return text_of(tx, name)
    except UnknownContract:
        return FIRST_DRAFT.format(name=name)


def _note(note: str) -> str:
    trimmed = " ".join(note.split())
    if len(trimmed) > _NOTE_MAX:
        raise ContractNotAcceptable(f"A note has at most {_NOTE_MAX} characters.")
    return trimmed


def _record(tx: Tx, action: str, draft: ContractVersion, detail: dict[str, Any]) -> None:
    subject = show_id("cver", draft.id)
    record_audit(tx, action, subject, {"contract": draft.contract, "version": draft.version} | detail)


def validate(tx: Tx, text: str, name: str) -> tuple[Contract, Comparison | None, list[str]]:
    """The contract in a text, what it changes, and why it cannot be published, if so. Nothing is kept.

    Raises ContractInvalid with the line of a mistake, ContractNotAcceptable for another contract than `name`.
    """
    contract = _read(name, text)
    return contract, *assess(tx, contract)


def compare_contracts(old: Contract, new: Contract) -> tuple[Comparison, bool, list[str]]:
    """What differs, whether the new one's version is high enough, and why publication would refuse it at any version.

    The old one counts as the only version that was ever in force: a firm that had others may be told more.
    """
    found = compare(old, new)
    enough = found.level is Level.NONE or version_number(new.version) >= version_number(found.lowest_version)
    if old.name != new.name:
        return found, enough, []
    built_in = contracts.contracts().get(new.name)
    refused = not_publishable([old], built_in, new) + ([] if built_in is None else lost_to_finer(built_in, new))
    return found, enough, refused


def shown_id(version: ContractVersion) -> str:
    """The id of a version as it is shown."""
    return show_id("cver", version.id)


def difference(tx: Tx, name: str, old: str, new: str) -> Comparison:
    """What differs between two versions of a contract. Raises UnknownContract, VersionNotFound."""
    return compare(*(check_contract(text_of(tx, name, version), name) for version in (old, new)))
