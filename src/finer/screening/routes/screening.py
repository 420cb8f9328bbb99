"""HTTP of screening: lists, checks, hits and judgements. Parse, call, answer."""

from __future__ import annotations

import builtins
from typing import Annotated, Any

from litestar import Controller, delete, get, post
from litestar.params import Parameter

from finer.identity.service import people, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.screening.routes.documents import (
    CheckAnswer,
    HitComparison,
    HitJudgementAnswer,
    HitJudgementBody,
    HitPage,
    ListLoadView,
    NewScreeningList,
    ScreeningFile,
    ScreeningListView,
    SubjectBody,
    people_of_comparison,
    read_subject,
    show_comparison,
    show_hit,
    show_list,
    show_load,
)
from finer.screening.service import hits, lists, subjects
from finer.screening.types import HitFilter, HitState, SubjectKind

_READ, _LISTS, _JUDGE = Permission.SCREENING_READ, Permission.SCREENING_LISTS, Permission.SCREENING_JUDGE
_CLEARED = (HitState.NO_MATCH, HitState.GONE)
_PAGE = 50


class ScreeningController(Controller):
    """Who may be on a list of sanctions or of exposed persons."""

    path = "/api/v1/screening"
    tags = ["Screening"]

    @get("/lists", opt={"permission": _READ}, sync_to_thread=True, summary="List the lists that are screened against")
    def all_lists(self, tx: Tx) -> builtins.list[ScreeningListView]:
        """Every list of the firm, by name."""
        found = lists.all_lists(tx)
        names = people.names(tx, [one.author for one in found])
        return [show_list(one, names) for one in found]

    @post("/lists", opt={"permission": _LISTS}, sync_to_thread=True, summary="Make a list to screen against")
    def create(self, tx: Tx, data: NewScreeningList) -> ScreeningListView:
        """A list without entries; a file brings them."""
        found = lists.create(tx, data.name, data.kind, data.description)
        return show_list(found, people.names(tx, [found.author]))

    @delete(
        "/lists/{screening_list:str}", opt={"permission": _LISTS, "step_up": True}, sync_to_thread=True,
        summary="Delete a list that is screened against",
    )  # fmt: skip
    def remove(self, tx: Tx, screening_list: str) -> None:
        """A list is screened against no more. What was judged stays; what was not is closed."""
        lists.delete(tx, screening_list)

    @get("/lists/{screening_list:str}/loads", opt={"permission": _READ}, sync_to_thread=True, summary="Files of a list")
    def loads(self, tx: Tx, screening_list: str) -> builtins.list[ListLoadView]:
        """The files that became versions of a list, the latest first."""
        found = lists.loads(tx, screening_list)
        names = people.names(tx, [one.loaded_by for one in found])
        return [show_load(one, names) for one in found]

    @post(
        "/lists/{screening_list:str}/file", opt={"permission": _LISTS, "step_up": True}, sync_to_thread=True,
        summary="Load a file as the next version of a list",
    )  # fmt: skip
    def load(self, tx: Tx, screening_list: str, data: ScreeningFile) -> ListLoadView:
        """A file becomes the list, whole or not at all; a mistake is told with its line.

        What is new or changed is held against everybody by a job.
        """
        found = lists.load_file(tx, screening_list, data.text, data.file_name, confirmed=data.confirmed)
        return show_load(found, people.names(tx, [found.loaded_by]))

    @post("/checks", opt={"permission": Permission.SCREENING_CHECK}, sync_to_thread=True, status_code=200,
          summary="Screen somebody")  # fmt: skip
    def check(self, tx: Tx, data: SubjectBody) -> CheckAnswer:
        """Screen a payee or a customer before money moves, and again by itself when a list changes."""
        found = subjects.check(tx, read_subject(data))
        names = people.names(tx, [one.judged_by for one in found])
        clear = all(one.state in _CLEARED for one in found)
        return CheckAnswer(clear=clear, hits=[show_hit(one, names) for one in found])

    @get("/hits", opt={"permission": _READ}, sync_to_thread=True, summary="List hits of screening")
    def list(
        self,
        tx: Tx,
        states: Annotated[builtins.list[HitState] | None, Parameter(query="state", max_items=6)] = None,
        kind: SubjectKind | None = None,
        in_list: Annotated[str | None, Parameter(query="list", max_length=40)] = None,
        before: Annotated[str | None, Parameter(max_length=80)] = None,
    ) -> HitPage:
        """Hits by state, kind and list, the highest score first; without a state those that wait for a judgement."""
        wanted = HitFilter(
            states=tuple(states or (HitState.OPEN, HitState.UNSURE)), kind=kind, limit=_PAGE,
            list_id=None if in_list is None else lists.get_list(tx, in_list).id, before=_read_cursor(before),
        )  # fmt: skip
        found = hits.list_hits(tx, wanted)
        names = people.names(tx, [one.judged_by for one in found])
        last = found[-1] if len(found) == _PAGE else None
        return HitPage(
            items=[show_hit(one, names) for one in found],
            next=None if last is None else f"{last.score!r}|{show_id('hit', last.id)}",
            counts=hits.count(tx),
            as_of=tx.now(),
        )

    @get(
        "/hits/{hit_id:str}", opt={"permission": _JUDGE, "sensitive": True}, sync_to_thread=True,
        summary="Both records of a hit",
    )  # fmt: skip
    def compare(self, tx: Tx, hit_id: str) -> HitComparison:
        """Both records side by side in clear, by what they are alike, and what was said of them before.

        For who judges: names cannot be compared in part. Whoever looks is in the audit trail.
        """
        found = hits.compared(tx, read_id("hit", hit_id))
        names = people.names(tx, people_of_comparison(found))
        return show_comparison(found, names, needs_two=hits.needs_two(found.hit, HitState.NO_MATCH))

    @post(
        "/hits/{hit_id:str}/judgement", opt={"permission": _JUDGE}, sync_to_thread=True, status_code=200,
        summary="Judge a hit",
    )  # fmt: skip
    def judge(
        self, tx: Tx, hit_id: str, data: HitJudgementBody, proposal_kinds: Kinds, settings: Settings
    ) -> HitJudgementAnswer:
        """Say of a hit whether it is one. Clearing a high score waits for a second person, on the page Approvals."""
        identifier, state = read_id("hit", hit_id), HitState(data.state)
        found = hits.compared(tx, identifier).hit
        made: Any = None
        if hits.needs_two(found, state):
            payload = hits.dismissal(tx, identifier, data.reason, data.revision)
            made = proposals.act_or_propose(tx, settings, proposal_kinds, hits.DISMISS, payload, data.reason)
        else:
            hits.judge(tx, identifier, state, data.reason, data.revision)
        judged = hits.compared(tx, identifier).hit
        return HitJudgementAnswer(
            hit=show_hit(judged, people.names(tx, [judged.judged_by])),
            proposal=None if made is None else show_id("pro", made.id),
        )


def _read_cursor(text: str | None) -> Any:
    if text is None:
        return None
    score, _, identifier = text.partition("|")
    try:
        return float(score), read_id("hit", identifier)
    except ValueError as error:
        raise InvalidInput("`before` is the `next` of the page before.") from error


ROUTES: builtins.list[Any] = [ScreeningController]
