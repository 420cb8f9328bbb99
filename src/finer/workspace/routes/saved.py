"""HTTP of saved queries and schedules."""

from __future__ import annotations

import uuid

from litestar import Controller, delete, get, post, put

from finer.identity.service import people, teams
from finer.identity.types.access import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx
from finer.workspace.routes.documents import (
    NOT_KEPT,
    FavouriteBody,
    OwnTeam,
    Saved,
    SavedBody,
    SavedList,
    SavedVersions,
    ScheduleBody,
    ScheduleDocument,
    Schedules,
    show_saved,
    show_schedule,
    show_version,
)
from finer.workspace.service import saved, schedules
from finer.workspace.types import Draft, Plan, SavedQuery


class SavedController(Controller):
    """Saved queries."""

    path = "/api/v1/sql/saved"
    tags = ["SQL"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Saved queries")
    def list(self, tx: Tx) -> SavedList:
        """What the caller saved and what is shared with them; favourites first, then by folder and name."""
        found = saved.list_saved(tx)
        names = people.names(tx, [one.owner_id for one in found])
        mine = [OwnTeam(show_id("tem", team), name) for team, name in teams.own_names(tx).items()]
        return SavedList([show_saved(one, tx.actor.id, names) for one in found], mine)

    @post("/", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Save a query")
    def create(self, tx: Tx, data: SavedBody) -> Saved:
        """Keep a query, with typed parameters and its chart, for oneself, one's team or the firm."""
        return _shown(tx, saved.create_saved(tx, _draft(data)))

    @get("/{saved_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="One saved query")
    def detail(self, tx: Tx, saved_id: str) -> Saved:
        """A saved query that the caller may see, in its newest version."""
        return _shown(tx, saved.get_saved(tx, _id(saved_id)))

    @put("/{saved_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Change a saved query")
    def change(self, tx: Tx, saved_id: str, data: SavedBody) -> Saved:
        """Write a new version of one's own query. Whoever it is shared with runs it as themselves."""
        return _shown(tx, saved.change_saved(tx, _id(saved_id), data.version, _draft(data)))

    @delete(
        "/{saved_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Delete a saved query"
    )
    def remove(self, tx: Tx, saved_id: str) -> None:
        """Delete one's own query with its versions and schedules."""
        saved.delete_saved(tx, _id(saved_id))

    @get(
        "/{saved_id:str}/versions",
        opt={"permission": Permission.SQL_RUN},
        sync_to_thread=True,
        summary="Versions of a saved query",
    )
    def versions(self, tx: Tx, saved_id: str) -> SavedVersions:
        """Every version with who wrote it, the newest first."""
        found = saved.list_versions(tx, _id(saved_id))
        names = people.names(tx, [one.changed_by for one in found])
        return SavedVersions([show_version(one, names) for one in found])

    @put(
        "/{saved_id:str}/favourite",
        opt={"permission": Permission.SQL_RUN},
        sync_to_thread=True,
        summary="Keep a query at hand",
    )
    def favourite(self, tx: Tx, saved_id: str, data: FavouriteBody) -> Saved:
        """Whether the caller keeps it at hand."""
        return _shown(tx, saved.set_favourite(tx, _id(saved_id), data.favourite))


class ScheduleController(Controller):
    """Queries that run by themselves."""

    path = "/api/v1/sql/schedules"
    tags = ["SQL"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Schedules")
    def list(self, tx: Tx) -> Schedules:
        """The caller's schedules, with where their alerts stand."""
        return Schedules([show_schedule(one) for one in schedules.list_schedules(tx)])

    @post("/", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Schedule a query")
    def create(self, tx: Tx, data: ScheduleBody) -> ScheduleDocument:
        """Let a saved query run by itself, as the caller, and look out for something in its result."""
        return show_schedule(schedules.create_schedule(tx, _plan(data)))

    @get("/{schedule_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="One schedule")
    def detail(self, tx: Tx, schedule_id: str) -> ScheduleDocument:
        """A schedule of the caller."""
        return show_schedule(schedules.get_schedule(tx, _schedule_id(schedule_id)))

    @put("/{schedule_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Change a schedule")
    def change(self, tx: Tx, schedule_id: str, data: ScheduleBody) -> ScheduleDocument:
        """Another time, other parameters, another alert; or pause it."""
        found = schedules.change_schedule(tx, _schedule_id(schedule_id), data.version, _plan(data))
        return show_schedule(found)

    @delete(
        "/{schedule_id:str}", opt={"permission": Permission.SQL_RUN}, sync_to_thread=True, summary="Delete a schedule"
    )
    def remove(self, tx: Tx, schedule_id: str) -> None:
        """Let it run no more; its results stay until they expire."""
        schedules.delete_schedule(tx, _schedule_id(schedule_id))

    @post(
        "/{schedule_id:str}/runs",
        opt={"permission": Permission.SQL_RUN},
        status_code=202,
        sync_to_thread=True,
        summary="Run a schedule now",
    )
    def run(self, tx: Tx, schedule_id: str) -> ScheduleDocument:
        """Run it once more, within seconds, besides its times."""
        return show_schedule(schedules.run_now(tx, _schedule_id(schedule_id)))


def _id(shown: str) -> uuid.UUID:
    return read_id(saved.PREFIX, shown)


def _schedule_id(shown: str) -> uuid.UUID:
    return read_id(schedules.PREFIX, shown)


def _shown(tx: Tx, found: SavedQuery) -> Saved:
    return show_saved(found, tx.actor.id, people.names(tx, [found.owner_id]))


def _draft(data: SavedBody) -> Draft:
    return Draft(
        name=data.name, statement=data.statement, description=data.description, folder=data.folder,
        tags=tuple(data.tags), sharing=data.sharing, parameters=tuple(data.parameters), chart=data.chart,
        team_id=None if data.team is None else read_id("tem", data.team),
    )  # fmt: skip


def _plan(data: ScheduleBody) -> Plan:
    return Plan(
        name=data.name, saved_id=read_id(saved.PREFIX, data.saved), cron=data.cron, timezone=data.timezone,
        parameters=data.parameters, alert=data.alert, active=data.active,
    )  # fmt: skip
