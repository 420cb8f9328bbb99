"""Everything that Finer does later or on a schedule: `finer jobs` does it, the page Jobs shows it.

A job without a schedule is done when a service asks for it with `finer.kit.runs.start`.
"""

from __future__ import annotations

import importlib
import uuid
from datetime import timedelta

import msgspec
import structlog

from finer.app import board_keeper, key_upkeep
from finer.app.audit_keeper import verify_new
from finer.app.bi_extracts import refresh_extracts
from finer.app.flow import FLOW, QUEUE, Handler, handle, handler_name, happening, read_facts
from finer.app.job_types import Ground, Job, Work, checked
from finer.app.lake_exports import carry_out_export
from finer.app.log_partitions import prepare_log
from finer.app.log_upkeep import drop_forgotten, trim_log
from finer.app.outgoing import call_hook, drop_delivery, look_at_metrics, send_digests, send_mail
from finer.app.pricing import price_rule
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.screening import screen
from finer.app.segment_counting import count_segments
from finer.app.sum_rebuilding import rebuild_sums
from finer.app.verify import verify
from finer.dashboards.service import alerts as metric_alerts
from finer.fraud.service import brakes, lists
from finer.fraud.service.rules import PRICE_JOB
from finer.identity.service import denials, housekeeping, proposals, tenants
from finer.ingest.service import acts, receipts
from finer.kit import idempotency, runs
from finer.kit.actors import SYSTEM, Actor, Fact
from finer.kit.db import NO_TENANT
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.runs import Cause, Counts, JobRun, Run, RunCancelled
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.operations.service import behaviour, executive, gauges, orders, rollups
from finer.privacy.service import retention
from finer.quality.service import watching
from finer.scoring.service import asking, models, monitors
from finer.screening.service.lists import SCREEN_JOB
from finer.segments.service import segments
from finer.sources.service import upkeep
from finer.warehouse.service import exports, extracts
from finer.warehouse.service import lake as warehouse
from finer.workspace.service import runs as queries
from finer.workspace.service import schedules

_log = structlog.get_logger(__name__)
_RUNS_KEPT_DAYS = 90


class InvariantsBroken(FinerError):
    """Something that must always be true is not."""

    slug = "invariants-broken"


class SomeNotClosed(FinerError):
    """Some proposals that waited too long could not be closed; all others were."""

    slug = "proposals-not-closed"


def _compact_lake(ground: Ground, run: Run) -> Counts:
    done = warehouse.compact(ground.lake(), run.tenant)
    return {
        "files_before": done.files_before,
        "files_after": done.files_after,
        "snapshots_expired": done.snapshots_expired,
        "files_deleted": done.files_deleted,
        "columns_mended": done.columns_mended,
    }


def _export_lake(ground: Ground, run: Run) -> Counts:
    if "export" not in run.arguments:
        return {"rows": 0}  # started by hand: an export is asked for on the page Lake
    identifier = uuid.UUID(run.arguments["export"])
    return {"rows": carry_out_export(ground.database, ground.lake(), run.tenant, identifier, run)}


def _drop_export(tx: Tx, run: JobRun, says: str) -> None:
    if "export" in run.arguments:
        exports.drop_export(tx, uuid.UUID(run.arguments["export"]), says)


def _sweep_exports(ground: Ground, run: Run) -> None:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        exports.sweep_exports(tx, ground.lake())


def _mend_quarantine(ground: Ground, run: Run) -> Counts:
    if "act" not in run.arguments:
        return {"records": 0}  # started by hand: an act is asked for on the page Quarantine
    identifier, who = uuid.UUID(run.arguments["act"]), msgspec.convert(run.arguments["actor"], Actor)
    state = "running"
    if run.cause is Cause.RETRY:
        with ground.database.transaction(run.tenant, who) as tx:
            acts.reopen(tx, identifier)
    while state == "running":
        run.stop_if_cancelled()
        with ground.database.transaction(run.tenant, who) as tx:
            act = acts.carry_on(tx, identifier, ground.settings.partitions)
        run.progress(act.done, act.matched)
        state = act.state
    if state == "cancelled":
        raise RunCancelled(run.job)
    return {"records": act.done, "changed": act.changed, "still_broken": sum(act.failed.values())}


def _drop_act(tx: Tx, run: JobRun, says: str) -> None:
    if "act" in run.arguments:
        acts.drop(tx, uuid.UUID(run.arguments["act"]), says)


def _handling(handler: Handler, fact: type[Fact]) -> Job:
    """The job that gives a handler its facts."""

    def work(ground: Ground, run: Run) -> Counts:
        if "fact" not in run.arguments:
            return {"facts": 0}  # started by hand: nothing has happened
        happened, who = read_facts(run.arguments)
        with ground.database.transaction(run.tenant, who) as tx:
            return {"facts": handle(tx, handler, happened, ground.lake())}

    return Job(
        name=handler.__name__, owner=handler_name(handler).partition(".")[0], work=work, queue=QUEUE, attempts=6,
        about=str(handler.__doc__).partition("\n")[0], when=f"when it happened: {happening(fact)}", stoppable=False,
    )  # fmt: skip


def _keep_log(ground: Ground, _run: Run) -> Counts:
    now = ground.database.clock.now()
    prepare_log(ground.url, now)
    before = now - timedelta(hours=ground.settings.log_retention_hours)
    dropped = trim_log(ground.url, before, lambda tenant: warehouse.lake_offsets(ground.lake(), tenant))
    return {"partitions_dropped": dropped, "forgotten_dropped": drop_forgotten(ground.url, ground.database)}


def _verify(ground: Ground, run: Run) -> Counts:
    broken = verify(ground.url, ground.settings, lambda _what, done, total: run.progress(done, total))
    if broken:
        _log.error("invariants are broken", violations=broken[:50])
        for sentence in broken[:50]:
            run.note(sentence)
        raise InvariantsBroken(f"{len(broken)} invariants are broken. `finer verify` lists them.")
    return {"violations": 0}


def _forget(ground: Ground, run: Run) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        receipts.forget_old(tx)
        return {
            "answers": idempotency.forget_old(tx),
            "notifications": notifications.forget_old(tx),
            "sessions_and_links": housekeeping.forget_old(tx, ground.settings),
            "read_counts": denials.forget_reads(tx),
            "rule_minutes": brakes.forget_old(tx),
            "runs": _forget_runs(tx),
            "queries": queries.forget_old(tx),
            "observations": watching.forget_old(tx),
            "metric_alerts": metric_alerts.forget_old(tx),
            "looks_at_models": monitors.forget_old(tx),
            "sums": rollups.forget_old(tx),
            "readings": gauges.forget_old(tx),
            "hours_of_sessions": behaviour.forget_old(tx),
            "source_items": upkeep.forget_old(tx),
            "sizes_of_segments": segments.forget_old(tx),
        }


def _expire_entries(ground: Ground, run: Run) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return {"entries": lists.take_off_expired(tx)}


def _expire_proposals(ground: Ground, run: Run) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        due = proposals.overdue(tx)
    closed, failed = 0, list[uuid.UUID]()
    for one in due:  # each by itself: what it is about is locked until the end of its transaction
        try:
            with ground.database.transaction(run.tenant, SYSTEM) as tx:
                closed += proposals.expire(tx, PROPOSAL_KINDS, one)
        except Exception:  # noqa: BLE001 - whatever is wrong with one proposal, the others are closed
            shown = show_id("pro", one)
            _log.exception("a proposal could not be closed", proposal=shown)
            run.note(f"{shown} could not be closed.")
            failed.append(one)
    if failed:
        with ground.database.transaction(run.tenant, SYSTEM) as tx:
            proposals.step_back(tx, failed)
        raise SomeNotClosed(
            f"{len(failed)} of {len(due)} proposals that nobody decided on in time could not be closed. The log says "
            "why; they are tried again behind all others."
        )
    return {"proposals": closed}


def _forget_runs(tx: Tx) -> int:
    return runs.forget(tx, tx.now() - timedelta(days=_RUNS_KEPT_DAYS))


def _forget_attempts(ground: Ground, _run: Run) -> Counts:
    with ground.database.transaction(NO_TENANT, SYSTEM) as tx:
        housekeeping.forget_attempts(tx)
        return {"runs": _forget_runs(tx)}


def _verify_new_audit(ground: Ground, run: Run) -> Counts:
    return _verify_audit(ground, run, incremental=True)


def _verify_whole_audit(ground: Ground, run: Run) -> Counts:
    return _verify_audit(ground, run, incremental=False)


def _verify_audit(ground: Ground, run: Run, *, incremental: bool) -> Counts:
    found = verify_new(ground.database, ground.settings, incremental=incremental)
    broken = [name for name, chain in found if chain.findings]
    for name in broken:
        run.note(f"The audit chain of {name} is broken; the page Audit says where.")
    if broken:
        raise InvariantsBroken(f"{len(broken)} audit chains are broken. `finer audit verify` says where.")
    return {"chains": len(found), "entries": sum(chain.checked for _, chain in found)}


def _keep_keys(ground: Ground, _run: Run) -> None:
    with ground.database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
        firms = [tenant.id for tenant in tenants.list_tenants(tx)]
    key_upkeep.keep(ground.database, firms, ground.settings.data_key_days)


def _ask_due_queries(ground: Ground, run: Run) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return {"schedules": schedules.defer_due(tx)}


def _for_models(name: str) -> Work:
    """Work about models, imported when a firm has one or wants one: what trains takes memory that others use."""

    def work(ground: Ground, run: Run) -> Counts | None:
        with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
            if not run.arguments and not models.list_models(tx):
                return {"models": 0}
        module, _, function = name.partition(":")
        done: Counts | None = getattr(importlib.import_module(module), function)(ground, run)
        return done

    return work


def _retain(ground: Ground, run: Run) -> Counts:
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return {rule.what: rule.due for rule in retention.run(tx).rules}


JOBS = checked([
    Job(
        name="compact_lake", owner="warehouse", cron="*/10 * * * *", work=_compact_lake,
        about="Merges small files of the lake, lets go of old snapshots, and mends wrong statistics of columns.",
    ),
    Job(
        name=exports.EXPORT_JOB, owner="warehouse", work=_export_lake, expected_s=3_600, dropped=_drop_export,
        about="Writes the file of an export of the lake.",
    ),
    Job(
        name="sweep_exports", owner="warehouse", cron="*/15 * * * *", work=_sweep_exports,
        about="Deletes the files of exports whose time is over.",
    ),
    Job(
        name=extracts.REFRESH_JOB, owner="warehouse", cron="*/15 * * * *", work=refresh_extracts, expected_s=1_800,
        about="Copies the extracts that BI tools read again, when they are due.",
    ),
    Job(
        name="keep_log", owner="kit", cron="7 * * * *", work=_keep_log, whole=True,
        about="Makes the event log's partitions of tomorrow and drops those that the lake holds.",
    ),
    Job(
        name="verify", owner="app", cron="23 * * * *", work=_verify, whole=True, attempts=1,
        about="Checks every invariant and computes a sample of features again from the lake.",
    ),
    Job(
        name=orders.AGES_JOB, owner="operations", cron="*/2 * * * *", work=board_keeper.age_orders, attempts=1,
        about="Looks for orders that wait for too long to be paid, shipped or delivered.", expected_s=60,
    ),
    Job(
        name=executive.OUTCOMES_JOB, owner="operations", cron="*/5 * * * *", work=board_keeper.measure_outcomes,
        about="Looks what became of the payments of the last half year, for the figures of those who steer.",
        attempts=1,
    ),
    Job(
        name=behaviour.SESSIONS_JOB, owner="operations", cron="*/5 * * * *", work=board_keeper.count_sessions,
        about="Counts the sessions of customers and how far they came.", attempts=1, dated=True,
    ),
    Job(
        name=rollups.REBUILD_JOB, owner="operations", work=rebuild_sums, attempts=2, expected_s=600, stoppable=False,
        about="Makes the sums of dashboards anew from the lake, when finer verify says that they differ.",
        operated=True, when="when the operator asks for it",
    ),
    Job(
        name=gauges.JOB, owner="operations", cron="* * * * *", work=board_keeper.take_gauges, attempts=1,
        about="Reads how the firm's part of the system does, so that there is a history of it.", expected_s=60,
    ),
    Job(
        name="forget", owner="app", cron="*/15 * * * *", work=_forget,
        about="Deletes what has had its time: receipts, answers, sessions, notifications, runs, files that went.",
    ),
    Job(
        name="forget_attempts", owner="identity", cron="*/15 * * * *", work=_forget_attempts, whole=True,
        about="Forgets sign-in attempts that no longer count.",
    ),
    Job(
        name="verify_new_audit", owner="identity", cron="*/10 * * * *", work=_verify_new_audit, whole=True, attempts=1,
        about="Checks the part of each audit chain that is new.",
    ),
    Job(
        name="verify_whole_audit", owner="identity", cron="37 2 * * *", work=_verify_whole_audit, whole=True,
        about="Checks each audit chain from its first entry.", attempts=1, expected_s=3_600,
    ),
    Job(
        name="keep_keys", owner="kit", cron="41 * * * *", work=_keep_keys, whole=True, expected_s=3_600,
        about="Replaces data keys of age and seals what they sealed again.",
    ),
    Job(
        name=PRICE_JOB, owner="fraud", work=price_rule, expected_s=1_800, attempts=1,
        about="Holds a rule to past payments and says what it would have done.",
    ),
    Job(
        # No model learns from what should have gone that day.
        name=asking.TRAIN_JOB, owner="scoring", cron="43 3 * * *", after=("retain",),
        work=_for_models("finer.app.model_learning:train_model"),
        about="Learns a model from the payments of the lake: when somebody asks, and from then on once a week.",
        expected_s=3_600, attempts=1, repeated=asking.refuse_second,
    ),
    Job(
        name=asking.WATCH_JOB, owner="scoring", cron="17 * * * *", attempts=1,
        work=_for_models("finer.app.model_learning:watch_models"),
        about="Looks whether models see what they learnt from, hit as they say, and how the challenger does.",
    ),
    Job(
        name="expire_list_entries", owner="fraud", cron="* * * * *", work=_expire_entries, attempts=1, expected_s=60,
        about="Takes off the firms' lists what has had its time.",
    ),
    Job(
        name="expire_proposals", owner="identity", cron="* * * * *", work=_expire_proposals, attempts=1, expected_s=60,
        about="Closes proposals that nobody decided on in time; what they are about waits no more.",
    ),
    Job(
        name=SCREEN_JOB, owner="screening", cron="* * * * *", work=screen, expected_s=3_600, attempts=1,
        about="Screens new customers against the firms' lists, and everybody against what is new on them.",
    ),
    Job(
        name="ask_due_queries", owner="workspace", cron="* * * * *", work=_ask_due_queries,
        about="Asks the scheduled queries that are due.", attempts=1, expected_s=60,
    ),
    Job(
        name="send_digests", owner="dashboards", cron="* * * * *", work=send_digests, attempts=1, expected_s=300,
        about="Makes the digests of dashboards that are due, each with the rights of who gets it.",
    ),
    Job(
        name=notifications.MAIL_JOB, owner="notifications", work=send_mail, queue=notifications.MAIL_QUEUE,
        attempts=5, expected_s=60, dropped=drop_delivery, when="when Finer has something to say by e-mail",
        about="Hands an e-mail to the relay.",
    ),
    Job(
        name=notifications.HOOK_JOB, owner="notifications", work=call_hook, queue=notifications.MAIL_QUEUE,
        attempts=5, expected_s=60, dropped=drop_delivery, when="when Finer has something to say by webhook",
        about="Sends a signed document to an address outside.",
    ),
    Job(
        name="look_at_metrics", owner="dashboards", cron="* * * * *", work=look_at_metrics, attempts=1, expected_s=60,
        about="Looks whether alerts on metrics fire or have settled.",
    ),
    Job(
        name=segments.COUNT_JOB, owner="segments", cron="29 1 * * *", work=count_segments, attempts=2,
        about="Counts how many customers are in each segment: every day, and at once what somebody wrote.",
    ),
    Job(
        name="retain", owner="privacy", cron="11 3 * * *", work=_retain,
        about="Lets go of personal data whose retention has ended and that no hold keeps.",
    ),
    Job(
        name=acts.JOB, owner="ingest", work=_mend_quarantine, queue=acts.QUEUE, dropped=_drop_act,
        about="Changes, releases or discards many refused records.",
    ),
    *(_handling(handler, fact) for fact, handlers in FLOW.items() for handler in handlers),
])  # fmt: skip
"""Every job by name. A new one is a function above and an entry here."""
