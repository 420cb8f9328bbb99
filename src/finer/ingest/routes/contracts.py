"""HTTP of contracts: what records are held to, drafts, trials, publication. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Controller, Response, delete, get, post, put

from finer.identity.service import people, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.ingest.errors import ContractInvalid
from finer.ingest.routes.contract_documents import (
    Assessment,
    ContractDetail,
    ContractDraft,
    ContractList,
    ContractSample,
    DraftBody,
    NewDraft,
    Publication,
    PublicationBody,
    RevisionBody,
    TextBody,
    people_of_versions,
    show_detail,
    show_draft,
    show_sample,
    show_summary,
)
from finer.ingest.service import activity, contracts, drafts, exports
from finer.ingest.service.exports import MEDIA_TYPES, Format
from finer.ingest.types.contracts import Comparison, ContractVersion
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ReadSample = Callable[[Tx, str], list[dict[str, Any]]]
"""A few of the newest records of a contract, as the lake keeps them."""
_READ, _WRITE = Permission.CONTRACTS_READ, Permission.CONTRACTS_WRITE


class ContractController(Controller):
    """What records are held to."""

    path = "/api/v1/contracts"
    tags = ["Contracts"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="List contracts")
    def list(self, tx: Tx) -> ContractList:
        """Every contract of the firm in the version in force, with what came in within a day."""
        counts = {one.contract: one for one in activity.activity(tx).contracts}
        own = drafts.list_versions(tx)
        return ContractList(
            items=[
                show_summary(
                    contract,
                    counts.get(name),
                    [one for one in own if one.contract == name],
                    built_in=name in contracts.contracts(),
                )
                for name, contract in drafts.shown(tx, own).items()
            ]
        )

    @post(
        "/validation", opt={"permission": _READ, "recorded": "nothing", "repeat": "It changes nothing."},
        sync_to_thread=True, status_code=200, summary="Look at a text",
    )  # fmt: skip
    def validate(self, tx: Tx, data: TextBody) -> Assessment:
        """What a text of a contract is worth: the line of a mistake, or what it changes of the version in force."""
        try:
            contract, comparison, problems = drafts.validate(tx, data.text, data.name)
        except ContractInvalid as error:
            return Assessment(readable=False, problem=error.detail.removeprefix(f"{data.name}: "), line=error.line)
        return Assessment(readable=True, version=contract.version, comparison=comparison, problems=problems)

    @get("/{contract:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One contract")
    def detail(self, tx: Tx, contract: str) -> ContractDetail:
        """A contract: its fields, rules, owner and service levels, with all versions and drafts."""
        counts = {one.contract: one for one in activity.activity(tx).contracts}
        own = drafts.list_versions(tx, contract)
        shown = drafts.shown(tx, own)
        found = shown[contract] if contract in shown else contracts.load(tx).named(contract)
        names = people.names(tx, people_of_versions(*own))
        return show_detail(found, counts.get(contract), own, contracts.contracts().get(contract), names)

    @get("/{contract:str}/export", opt={"permission": _READ}, sync_to_thread=True, summary="A contract as a file")
    def export(self, tx: Tx, contract: str, form: Format = "odcs", version: str | None = None) -> Response[str]:
        """A version, the one in force if none is given, as ODCS YAML, JSON Schema or Markdown."""
        text = exports.export(tx, contract, version, form)
        media_type, suffix = MEDIA_TYPES[form]
        disposition = f'attachment; filename="{contract}.{suffix}"'
        return Response(text, media_type=media_type, headers={"Content-Disposition": disposition})

    @get("/{contract:str}/comparison", opt={"permission": _READ}, sync_to_thread=True, summary="Compare two versions")
    def compare(self, tx: Tx, contract: str, old: str, new: str) -> Comparison:
        """Every change between two versions with whom it breaks."""
        return drafts.difference(tx, contract, old, new)

    @get(
        "/{contract:str}/sample", opt={"permission": Permission.CONTRACTS_SAMPLE, "sensitive": True},
        sync_to_thread=True, summary="Sample records",
    )  # fmt: skip
    def sample(self, tx: Tx, contract: str, contract_sample: ReadSample) -> ContractSample:
        """A few of the newest records, each value in the form that the caller may see."""
        contracts.load(tx).named(contract)
        return show_sample(exports.sample(tx, contract, contract_sample(tx, contract)))


class DraftController(Controller):
    """Versions of contracts on their way."""

    path = "/api/v1/contract-drafts"
    tags = ["Contracts"]

    @post("/", opt={"permission": _WRITE}, sync_to_thread=True, summary="Begin a draft")
    def create(self, tx: Tx, data: NewDraft) -> ContractDraft:
        """A draft of a contract, new or known. A wrong text is told with the line of its mistake."""
        return _show(tx, drafts.create(tx, data.name, data.text, data.note))

    @get("/{draft_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="A draft")
    def detail(self, tx: Tx, draft_id: str) -> ContractDraft:
        """A draft with its text, what it would change, and what its trial found."""
        return _show(tx, drafts.get_version(tx, read_id("cver", draft_id)))

    @put("/{draft_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, summary="Change a draft")
    def change(self, tx: Tx, draft_id: str, data: DraftBody) -> ContractDraft:
        """Another text for a draft; it has to be tried again. Refused when somebody else changed it meanwhile."""
        return _show(tx, drafts.change(tx, read_id("cver", draft_id), data.text, data.note, data.revision))

    @delete("/{draft_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, summary="Discard a draft")
    def discard(self, tx: Tx, draft_id: str, revision: int) -> None:
        """Delete a draft."""
        drafts.discard(tx, read_id("cver", draft_id), revision)

    @post("/{draft_id:str}/trial", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202, summary="Try it")
    def try_it(self, tx: Tx, draft_id: str, data: RevisionBody) -> ContractDraft:
        """Hold the records of a week, accepted and quarantined, to a draft. The draft shows how far it has come."""
        return _show(tx, drafts.begin_trial(tx, read_id("cver", draft_id), data.revision))

    @post(
        "/{draft_id:str}/publication", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Propose to publish",
    )  # fmt: skip
    def publish(
        self, tx: Tx, draft_id: str, data: PublicationBody, proposal_kinds: Kinds, settings: Settings
    ) -> Publication:
        """Ask for a draft to come into force. Somebody else approves it, on the page Approvals."""
        draft = drafts.proposable(tx, read_id("cver", draft_id), data.revision)
        payload = drafts.publication(draft)
        made = proposals.act_or_propose(tx, settings, proposal_kinds, drafts.PUBLISH, payload, data.reason)
        return Publication(proposal=None if made is None else show_id("pro", made.id), published=made is None)


def _show(tx: Tx, draft: ContractVersion) -> ContractDraft:
    _, comparison, problems = drafts.validate(tx, draft.document, draft.contract)
    return show_draft(draft, comparison, problems, people.names(tx, people_of_versions(draft)))
