"""Runs: asked, waiting for room, worked off by the app, kept for a while, and only ever seen by who asked."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pyarrow as pa

from finer.identity.service import exports
from finer.identity.service.audit import note_rows, record_audit
from finer.identity.service.authorisation import masking_of, reach_of
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Proposal
from finer.kit.crypto.fields import blind
from finer.kit.errors import FinerError
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass
from finer.kit.moments import refuse_to_come
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse.types import SqlResult
from finer.workspace.errors import CannotBeUsed, NotFinished, NotShown, ResultGone, RunNotFound, TooManyQueries
from finer.workspace.rules import explain as plain
from finer.workspace.rules import results, statements
from finer.workspace.rules.parameters import values_of
from finer.workspace.service.saved import get_saved
from finer.workspace.store.runs import RunStore
from finer.workspace.types import NewRun, ParameterDefinition, ResultPage, Run, RunState

CHANNEL = "finer_sql"
PREFIX = "qry"
EXPORT = "sql.export"
"""The kind of proposal of an export that is too large for one person."""
ROWS_MAX = 100_000
BYTES_MAX = 64 * 2**20
PAGE_MAX = 10_000
WAITING_MAX = 10
"""Runs of one person that are not over."""
SAME_WITHIN = timedelta(seconds=20)
WAIT_MAX = timedelta(minutes=2)
_RESULT_KEPT = timedelta(hours=24)
_SCHEDULED_KEPT = timedelta(days=30)
_RUNS_KEPT = timedelta(days=180)
_LEASE_MORE = timedelta(seconds=30)
_FILES = {"arrow": results.as_arrow, "csv": results.as_csv, "parquet": results.as_parquet}
_OPEN = (RunState.QUEUED, RunState.RUNNING)
_ERROR_MAX = 4000
_LOST = "The process that ran it is gone. Run it again."


def submit(tx: Tx, new: NewRun) -> Run:
    """Ask a question. The run waits until the app works it off; the same question of a moment ago is answered at once.

    Raises StatementRefused, CannotBeUsed, SavedQueryNotFound, TooManyQueries, and MomentToCome.
    """
    reach_of(tx.actor, Permission.SQL_RUN)
    if new.as_of is not None:
        refuse_to_come(new.as_of, tx.now())
    statement, kinds, version = new.statement, new.kinds, None
    if new.saved_id is not None:
        found = get_saved(tx, new.saved_id)
        statement, kinds, version = found.statement, found.parameters, found.version
    if not 0 < new.rows_max <= ROWS_MAX:
        raise CannotBeUsed(f"A result may have 1 to {ROWS_MAX:,} rows.")
    question = question_of(statement, kinds, new)
    store = RunStore(tx)
    if not new.fresh and (known := store.same(tx.actor.id, tx.actor.role, question, tx.now() - SAME_WITHIN)):
        return msgspec.structs.replace(known, cached=True)
    if store.waiting(tx.actor.id) >= WAITING_MAX:
        raise TooManyQueries(
            f"You have {WAITING_MAX} queries that are not over. Wait for one, or cancel one.", retry_after_s=5
        )
    run = Run(
        id=new_id(), person_id=tx.actor.id, role=tx.actor.role, state=RunState.QUEUED, statement=statement,
        parameters=dict(new.parameters), saved_id=new.saved_id, saved_version=version, schedule_id=new.schedule_id,
        rows_max=new.rows_max, as_of=new.as_of, asked_at=tx.now(),
    )  # fmt: skip
    store.add(run, kinds, question)
    record_audit(tx, "sql:run", show_id(PREFIX, run.id), _subject(run))
    return run


def question_of(statement: str, kinds: Sequence[ParameterDefinition], new: NewRun) -> str:
    """What makes two runs the same question; checks statement and parameters on the way.

    Raises StatementRefused, CannotBeUsed.
    """
    statements.read_question(statements.bound(statement, statements.named_parameters(statement)))
    values = values_of(statement, kinds, new.parameters)
    asked = msgspec.json.encode([statement.strip(), values, new.rows_max, new.as_of], order="sorted")
    # Blind indexes take no notice of case, which makes another question: a digest has none.
    return hashlib.sha256(asked).hexdigest()


def _subject(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if run.saved_id is not None:
        found["saved"] = f"{show_id('sav', run.saved_id)} v{run.saved_version}"
    if run.schedule_id is not None:
        found["schedule"] = show_id("sch", run.schedule_id)
    return found


def claim(tx: Tx, run: Run, settings: Settings) -> bool:
    """Let a waiting run begin when the firm and the person have room for it."""
    until = tx.now() + timedelta(seconds=settings.sql_timeout_s) + _LEASE_MORE
    return RunStore(tx).claim(run, until, person_max=settings.sql_person_max, tenant_max=settings.sql_tenant_max)


def bindings(tx: Tx, run: Run) -> tuple[str, dict[str, Any]]:
    """The statement as DuckDB binds it, and the values to bind."""
    kinds = RunStore(tx).kinds(run.id)
    values = values_of(run.statement, kinds, run.parameters)
    return statements.bound(run.statement, list(values)), values


def token_secret(tx: Tx) -> bytes:
    """What the tokens of this firm are made with."""
    return blind(tx, "workspace.tokens", "sql")


def finish(tx: Tx, run: Run, result: SqlResult) -> None:
    """Keep the answer of a run. A run that was cancelled meanwhile keeps nothing."""
    parts = results.parts_of(result.table)
    kept = _RESULT_KEPT if run.schedule_id is None else _SCHEDULED_KEPT
    store = RunStore(tx)
    done = store.change(
        run.id, _OPEN, state=RunState.DONE, finished_at=tx.now(), expires_at=tx.now() + kept,
        rows=result.table.num_rows, truncated=result.truncated, result_bytes=sum(len(part) for _, part in parts),
        result_columns=msgspec.to_builtins(results.columns_of(result.table.schema)),
        cost=msgspec.to_builtins(result.cost),
    )  # fmt: skip
    if done:
        store.keep(run.id, parts)


def fail(tx: Tx, run: Run, error: FinerError) -> None:
    """End a run that has no answer, with a sentence for the person and the place in the statement."""
    position = error.members.get("position")
    if position is None:
        position = statements.error_position(run.statement, error.detail)
    RunStore(tx).change(
        run.id, _OPEN, state=RunState.FAILED, finished_at=tx.now(), problem=error.slug,
        error=error.detail[:_ERROR_MAX], position=position,
    )  # fmt: skip


def cancel(tx: Tx, identifier: uuid.UUID) -> Run:
    """End a run of one's own; what is over stays as it is. Raises RunNotFound."""
    run = get_run(tx, identifier)
    if RunStore(tx).change(run.id, _OPEN, state=RunState.CANCELLED, finished_at=tx.now(), problem="sql-cancelled",
                           error="You cancelled it."):  # fmt: skip
        tx.notify(CHANNEL, [str(run.id)])
        record_audit(tx, "sql:cancel", show_id(PREFIX, run.id))
    return get_run(tx, identifier)


def get_run(tx: Tx, identifier: uuid.UUID) -> Run:
    """One run of one's own. Raises RunNotFound."""
    found = RunStore(tx).get(identifier, tx.actor.id)
    if found is None:
        raise RunNotFound(f"You have no query {show_id(PREFIX, identifier)}.")
    return found


def list_runs(
    tx: Tx,
    *,
    limit: int = 50,
    before: uuid.UUID | None = None,
    schedule_id: uuid.UUID | None = None,
    saved_id: uuid.UUID | None = None,
) -> list[Run]:
    """What somebody asked, the newest first; `before` is the last id seen."""
    return RunStore(tx).page(tx.actor.id, limit, before, schedule_id, saved_id)


def read_page(tx: Tx, identifier: uuid.UUID, offset: int, limit: int, most: int | None = None) -> ResultPage:
    """Rows of a result, of its first `most` when that is given: what one person may take alone (`exports.rows_alone`).

    Raises RunNotFound, NotFinished, ResultGone, and NotShown for what is only handed out as an export.
    """
    return page_of(tx, get_run(tx, identifier), offset, limit, most)


def page_of(tx: Tx, run: Run, offset: int, limit: int, most: int | None) -> ResultPage:
    """The same of a run that the caller may see for another reason than having asked (`answers`)."""
    end = offset + limit if most is None else min(offset + limit, most)
    table = _result(tx, run, offset, end)
    if most is not None and (results.counted_rows(table) > most or offset >= most < (run.rows or 0)):
        raise NotShown(
            f"A page shows the first {most:,} rows of a result, and at most {most:,} KiB. Export the result: one of "
            "more than that is approved by somebody else first."
        )
    total = run.rows or 0
    rows = results.rows_of(table)
    following = offset + len(rows)
    return ResultPage(
        columns=run.columns, rows=rows, offset=offset, total=total, next=following if following < total else None
    )


def read_table(tx: Tx, identifier: uuid.UUID) -> pa.Table:
    """A whole result. Raises RunNotFound, NotFinished, ResultGone."""
    return _result(tx, get_run(tx, identifier), 0, ROWS_MAX)


def export(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, form: str, reason: str = ""
) -> bytes | Proposal:
    """A whole result as a `csv`, `parquet` or `arrow` file, masked as it was run; or what waits for somebody else.

    An approval is for the question, so it holds for another run of it. Raises what `read_table` raises, and
    NotAcceptable for a large result without a reason.
    """
    return export_of(tx, settings, kinds, get_run(tx, identifier), form, reason)


def export_of(tx: Tx, settings: Settings, kinds: Kinds, run: Run, form: str, reason: str) -> bytes | Proposal:
    """The same of a run that the caller may see for another reason than having asked (`answers`)."""
    table = _result(tx, run, 0, ROWS_MAX)
    rows, masking = results.counted_rows(table), masking_of(tx.actor)
    clear = any(masking.clear(one) for one in DataClass if one not in (DataClass.PUBLIC, DataClass.INTERNAL))
    waits = exports.may_export(tx, settings, kinds, EXPORT, _asked(run), rows=rows, clear=clear, reason=reason)
    if waits is not None:
        return waits
    record_audit(tx, "sql:export", show_id(PREFIX, run.id), {"format": form, "rows": rows})
    note_rows(rows)
    return _FILES[form](table)


def _asked(run: Run) -> Payload:
    """What somebody else approves of an export: the question of a run."""
    asked: dict[str, Any] = {"statement": run.statement, "rows_at_most": run.rows_max}
    if run.parameters:
        asked["parameters"] = msgspec.json.encode(run.parameters, order="sorted").decode()
    if run.as_of is not None:
        asked["as_of"] = run.as_of.isoformat()
    return asked


def _result(tx: Tx, run: Run, first: int, end: int) -> pa.Table:
    if run.state is not RunState.DONE:
        raise NotFinished(f"The query {show_id(PREFIX, run.id)} is {run.state.value}. {run.error}".strip())
    if run.role != tx.actor.role and tx.actor.kind != "system":
        raise ResultGone("This result was made under the role that you had before. Run the query again.")
    part = results.PART_ROWS
    # Behind the end, the last part tells the columns, and that it is still kept.
    start = min(first, max(0, (run.rows or 0) - 1)) // part
    contents = RunStore(tx).parts(run.id, start, max(first, end - 1) // part)
    if not contents or run.expires_at is None or run.expires_at <= tx.now():
        raise ResultGone("Results are kept for a day, those of schedules for 30. Run the query again.")
    return results.joined(contents).slice(first - start * part, max(0, end - first))


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as a CSV file, in which no spreadsheet finds a formula."""
    given = list(zip(*rows, strict=True)) or [()] * len(columns)
    return results.as_csv(pa.table([pa.array(list(one)) for one in given], names=list(columns)))


def explain(statement: str) -> list[str]:
    """A statement in plain words, sentence by sentence. Raises StatementRefused."""
    return plain.explain(statements.bound(statement, statements.named_parameters(statement)))


def lay_out(statement: str) -> str:
    """The same statement, laid out. Raises StatementRefused."""
    return statements.laid_out(statement)


def forget_old(tx: Tx) -> int:
    """Delete results and runs that are past their time, and end runs whose process is gone; how many rows that were."""
    store = RunStore(tx)
    lost = store.end_lost(tx.now(), _LOST, tx.now() - WAIT_MAX)
    return lost + store.forget_results(tx.now()) + store.forget_runs(tx.now() - _RUNS_KEPT)
