"""HTTP of lists: what is on them, one by one and by file. Parse, call, answer."""

from __future__ import annotations

import builtins
from typing import Any

from litestar import Controller, Response, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.response import Stream

from finer.fraud.routes.documents import FILES, FraudExport, FraudExportProposal, ProposedAct
from finer.fraud.routes.list_documents import (
    EntriesBody,
    EntryPage,
    EntryView,
    ListFile,
    ListLookup,
    ListSummary,
    NewListBody,
    RemovalBody,
    read_entry,
    show_entry,
    show_list,
)
from finer.fraud.service import lists, unblocking
from finer.fraud.types import FirmList, ListEntry
from finer.identity.service import people, proposals
from finer.identity.service.authorisation import masking_of
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Proposal
from finer.kit.ids import read_id, show_id
from finer.kit.masking import mask
from finer.kit.settings import Settings
from finer.kit.spreadsheet_files import csv_file
from finer.kit.tx import Tx

_READ, _WRITE = Permission.LISTS_READ, Permission.LISTS_WRITE
_PAGE = 100
_COLUMNS = ("value", "reason", "source", "added_by", "added_at", "expires_at")


class ListController(Controller):
    """Lists that rules ask, or that block and allow by themselves."""

    path = "/api/v1/lists"
    tags = ["Lists"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="List the lists")
    def list(self, tx: Tx) -> builtins.list[ListSummary]:
        """Every list of the firm, by name."""
        found = lists.all_lists(tx)
        names = people.names(tx, [one.author for one in found])
        return [show_list(one, lists.used_by(tx, one.name), names) for one in found]

    @post("/", opt={"permission": _WRITE}, sync_to_thread=True, summary="Make a list")
    def create(self, tx: Tx, data: NewListBody) -> ListSummary:
        """A list without entries."""
        return _show(tx, lists.create(tx, data.name, data.kind, data.effect, data.description))

    @delete("/{name:str}", opt={"permission": _WRITE, "step_up": True}, sync_to_thread=True, summary="Delete a list")
    def remove(self, tx: Tx, name: str) -> None:
        """A list is gone. Refused while a rule asks it, and where it blocks something: see `removal`."""
        lists.delete(tx, name)

    @get("/{name:str}/entries", opt={"permission": _READ}, sync_to_thread=True, summary="Entries of a list")
    def entries(self, tx: Tx, name: str, before: str | None = None) -> EntryPage:
        """What is on a list, the newest first."""
        found = lists.get_list(tx, name)
        page = lists.entries(tx, name, limit=_PAGE, before=None if before is None else read_id("lse", before))
        shown = _entries(tx, found, page)
        return EntryPage(items=shown, next=shown[-1].id if len(shown) == _PAGE else None)

    @post(
        "/{name:str}/export",
        opt={
            "permission": Permission.LISTS_EXPORT,
            "step_up": True,
            "answer_once": True,
            "describe": {"responses": FILES},
        },
        sync_to_thread=True,
        status_code=200,
        summary="Export a list",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
    )
    def export(
        self, tx: Tx, name: str, data: FraudExport, settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | FraudExportProposal]:
        """What is on a list as CSV, masked as the list is shown, the newest first.

        A long one (FINER_EXPORT_ROWS_MAX) waits for somebody else first, and answers 202 with what waits.
        """
        found = lists.take_entries(tx, settings, proposal_kinds, name, data.reason)
        if isinstance(found, Proposal):
            return Response(FraudExportProposal(proposals.shown_id(found)), status_code=202)
        kept, masking = lists.get_list(tx, name), masking_of(tx.actor)
        pages = ([_row(mask(one, masking)) for one in _entries(tx, kept, page)] for page in found)
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        file: Response[Any] = Stream(csv_file(_COLUMNS, pages), media_type="text/csv", headers=headers)
        return file

    @post(
        "/{name:str}/lookup", opt={"permission": _READ, "recorded": "nothing", "repeat": "It changes nothing."},
        sync_to_thread=True, status_code=200, summary="Look for a value on a list",
    )  # fmt: skip
    def lookup(self, tx: Tx, name: str, data: ListLookup) -> builtins.list[EntryView]:
        """The entry of exactly this value, if it is on the list."""
        return _entries(tx, lists.get_list(tx, name), lists.entries(tx, name, value=data.value.strip()))

    @post("/{name:str}/entries", opt={"permission": _WRITE}, sync_to_thread=True, summary="Put entries on a list")
    def put(self, tx: Tx, name: str, data: EntriesBody) -> ListSummary:
        """Put entries on a list, each in the place of one with the same value; all or none.

        What a list blocks already is not blocked for a shorter time by that: see `removal`.
        """
        return _show(tx, lists.put(tx, name, [read_entry(one) for one in data.entries]))

    @post(
        "/{name:str}/allowance", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Propose entries that allow",
    )  # fmt: skip
    def allow(self, tx: Tx, name: str, data: EntriesBody, proposal_kinds: Kinds, settings: Settings) -> ProposedAct:
        """Ask for entries on a list that allows. Somebody else approves them, on the page Approvals."""
        payload = lists.allowance(tx, name, [read_entry(one) for one in data.entries])
        reason = data.entries[0].reason
        made = proposals.act_or_propose(tx, settings, proposal_kinds, lists.ALLOW, payload, reason)
        return ProposedAct(proposal=None if made is None else show_id("pro", made.id), done=made is None)

    @post("/{name:str}/file", opt={"permission": _WRITE}, sync_to_thread=True, summary="Put a file on a list")
    def load(self, tx: Tx, name: str, data: ListFile) -> ListSummary:
        """Put the entries of a CSV text on a list, all or none; a mistake is told with its line."""
        found = lists.load_file(tx, name, data.csv, reason=data.reason, source=data.source, replace=data.replace)
        return _show(tx, found)

    @delete(
        "/{name:str}/entries/{entry_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Take an entry off a list",
    )  # fmt: skip
    def take_off(self, tx: Tx, name: str, entry_id: str) -> ListSummary:
        """An entry is on the list no more, from the next batch on. Refused where it is blocked: see `removal`."""
        return _show(tx, lists.take_off(tx, name, read_id("lse", entry_id)))

    @post(
        "/{name:str}/removal", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Propose to take off what is blocked",
    )  # fmt: skip
    def unblock(self, tx: Tx, name: str, data: RemovalBody, proposal_kinds: Kinds, settings: Settings) -> ProposedAct:
        """Ask for entries to be taken off a list that blocks, or for the list to be deleted. Somebody else approves."""
        payload = unblocking.removal(tx, name, [read_id("lse", one) for one in data.entries], whole=data.whole)
        made = proposals.act_or_propose(tx, settings, proposal_kinds, unblocking.UNBLOCK, payload, data.reason)
        return ProposedAct(proposal=None if made is None else show_id("pro", made.id), done=made is None)


def _entries(tx: Tx, found: FirmList, page: builtins.list[ListEntry]) -> builtins.list[EntryView]:
    names = people.names(tx, [one.added_by for one in page])
    return [show_entry(found.kind, one, names) for one in page]


def _row(shown: EntryView) -> builtins.list[Any]:
    return [shown.value, shown.reason, shown.source, shown.added_by, shown.added_at, shown.expires_at]


def _show(tx: Tx, found: FirmList) -> ListSummary:
    return show_list(found, lists.used_by(tx, found.name), people.names(tx, [found.author]))
