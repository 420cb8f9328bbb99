"""Contracts in files: tested, compared and published from the command line and from the CI of producers."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from finer.app.commands.common import OPERATOR
from finer.app.file_ingestion import Cause
from finer.app.trials import try_draft
from finer.ingest.errors import ContractNotAcceptable, UnreadableBody
from finer.ingest.service import contracts, drafts, parsing
from finer.ingest.types.contracts import Comparison, Contract
from finer.ingest.types.records import BodyResult
from finer.kit.db import Database
from finer.kit.errors import NotFound
from finer.kit.settings import Settings
from finer.warehouse.service import lake as warehouse


class Tested(msgspec.Struct, frozen=True):
    """What files would come to under a contract."""

    contract: str
    received: int
    accepted: int
    quarantined: int
    causes: list[Cause]


class Published(msgspec.Struct, frozen=True):
    """What became of a version: its trial, and whether it is in force."""

    contract: str
    version: str
    draft: str
    checked: int
    would_quarantine: int
    published: bool
    sentence: str


def read_text(source: str) -> str:
    """The text of a contract: a file, or a built-in contract by its name. Raises NotFound."""
    path = Path(source)
    if not path.exists() and source in contracts.built_in_texts():
        return contracts.built_in_texts()[source]
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(contracts.built_in_texts())
        reason = error.strerror if isinstance(error, OSError) else error
        raise NotFound(f"{source} is neither a readable file nor a built-in contract ({names}): {reason}.") from error


def _contract(source: str) -> Contract:
    return contracts.read_contract(read_text(source), Path(source).name)


def test_files(source: str, files: Sequence[Path]) -> Tested:
    """Hold files to the contract in `source`. Raises ContractInvalid, NotFound, UnreadableBody."""
    contract = _contract(source)
    received = accepted = 0
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for file in files:
        if not file.is_file():
            raise NotFound(f"There is no file {file}.")
        for result in _results(file, contract):
            received, accepted = received + result.received, accepted + result.accepted
            for refused in result.refused:
                for error in refused.errors:
                    counts[error.field, error.rule] += 1
                    examples.setdefault((error.field, error.rule), f"{file.name}:{refused.line}: {error.reason}")
    causes = [Cause(field, rule, number, examples[field, rule]) for (field, rule), number in counts.most_common()]
    return Tested(contract.header, received, accepted, received - accepted, causes)


def _results(file: Path, contract: Contract) -> Iterator[BodyResult]:
    """What became of the bodies of a file; where it cannot be read, its name stands before the reason."""
    try:
        for group in parsing.read_file(file, contract):
            yield from group.parsed.bodies
    except UnreadableBody as error:
        raise UnreadableBody(f"{file}: {error.detail}") from error


def compare_texts(old: str, new: str) -> tuple[Comparison, bool, list[str]]:
    """What differs, whether the version of the new one is high enough for it, and what no version allows."""
    return drafts.compare_contracts(_contract(old), _contract(new))


def publish_text(
    database: Database,
    settings: Settings,
    tenant: uuid.UUID,
    text: str,
    note: str,
    *,
    publish: bool,
    accept_quarantine: bool,
) -> Published:
    """Make a draft of a text, try it, and put it into force in the name of the operator.

    Raises ContractInvalid, ContractNotAcceptable for a version that is too low.
    """
    name = contracts.read_contract(text, "the file").name
    with database.transaction(tenant, OPERATOR) as tx:
        _, _, problems = drafts.validate(tx, text, name)
        if problems:
            raise ContractNotAcceptable(" ".join(problems))
        draft = drafts.begin_trial_of(tx, name, text, note)
    reader = warehouse.LakeReader(database.url, settings)
    try:
        try_draft(database, reader, tenant, draft.id, draft.revision)
    finally:
        reader.close()
    with database.transaction(tenant, OPERATOR) as tx:
        draft = drafts.get_version(tx, draft.id)
        trial = draft.trial
        if trial is None or trial.state != "done":
            raise ContractNotAcceptable(f"The trial failed: {'' if trial is None else trial.problem}")
        allowed = publish and (accept_quarantine or not trial.refused)
        if allowed:
            drafts.execute_publication(tx, drafts.publication(draft))
    tried = f"{trial.refused:,} of {trial.checked:,} records of the last week would have been quarantined."
    ended = "It is in force now." if allowed else "It is a draft; nothing is held to it yet."
    return Published(
        contract=name,
        version=draft.version,
        draft=drafts.shown_id(draft),
        checked=trial.checked,
        would_quarantine=trial.refused,
        published=allowed,
        sentence=f"{name} {draft.version}: {tried} {ended}",
    )
