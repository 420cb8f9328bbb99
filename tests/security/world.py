"""A firm with somebody in every role and one of everything that a route can name, each with the firm's mark in it.

The matrix asks for these things, and the canary looks for the mark where it does not belong. A route with a new kind of
path parameter gets its sample here, in `Samples`; a write that needs a body gets one in `bodies`.
"""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec

from finer.app.proposals import PROPOSAL_KINDS
from finer.dashboards.service import alerts as metric_alerts
from finer.dashboards.service import dashboards, notes
from finer.dashboards.types import (
    ALERT_PREFIX,
    SILENCE_PREFIX,
    MetricAlert,
    QueryPart,
    Silence,
    Tile,
    TileKind,
    Watched,
)
from finer.dashboards.types import Draft as BoardDraft
from finer.decisions.service import actions, attachments, cases, grouping, policy
from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Decision, FiredRule, NewAlert, Verdict
from finer.decisions.types.cases import ActionKind
from finer.decisions.types.policy import PolicyStep
from finer.fraud.routes.documents import RuleBody, read_text
from finer.fraud.rules.rule_set import LISTS_MAX
from finer.fraud.service import lists, rules
from finer.fraud.types import ListEffect, ListKind, NewEntry
from finer.identity.rules.grants import permissions_of
from finer.identity.service import api_keys, chain, people, proposals, sessions, teams
from finer.identity.service.staff import ROLE
from finer.identity.store.factors import FactorStore
from finer.identity.store.security import SecurityStore
from finer.identity.types.access import Factor, MachineKind, Passkey, Permission, Role, User
from finer.identity.types.proposals import Proposal
from finer.identity.types.security_alerts import SecurityAlert, SecurityState
from finer.ingest.service import acts, contracts, drafts, parsing, quarantine, receipts
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit import runs
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import Database
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.runs import RunState
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.operations.service import targets
from finer.operations.types.goals import Targets
from finer.privacy.service import breaches, holds, requests
from finer.privacy.types import HoldKind, Law, RequestKind, Step, SubjectKind
from finer.quality.store.incidents import IncidentStore
from finer.quality.store.watches import WatchStore
from finer.quality.types import Incident, IncidentState, Keys, MonitorKind, Part
from finer.quality.types import Severity as QualitySeverity
from finer.scoring.service import models
from finer.screening.service import lists as screening_lists
from finer.screening.service import subjects as screening_subjects
from finer.screening.service.lists import LISTS_MAX as SCREENING_LISTS_MAX
from finer.screening.types import ListKind as ScreeningListKind
from finer.screening.types import Profile, Subject
from finer.screening.types import SubjectKind as ScreenedKind
from finer.segments.service import segments
from finer.segments.types import PREFIX as SEGMENT_PREFIX
from finer.segments.types import Draft as SegmentDraft
from finer.sources.service import manage
from finer.sources.service.reach import Reach
from finer.sources.types import Credentials, StripeSettings
from finer.warehouse.store.records import ExportStore
from finer.warehouse.types import ExportFormat, Wanted
from finer.workspace.service import runs as queries
from finer.workspace.service import saved, schedules
from finer.workspace.types import Draft, NewRun, Plan, Sharing
from tests.support.identity import Firm
from tests.support.models import model_text

_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_offsets = itertools.count(1)
_RULE: dict[str, Any] = {
    "title": "Matrix", "condition": "amount_usd > 5000", "action": "review", "reason": "It is {amount_usd:usd}.",
}  # fmt: skip
_METRIC_ALERT = {"name": "matrix", "watched": {"metric": "orders_placed"}, "condition": "value > 1"}
_SEGMENT = {"name": "matrix", "condition": "city = 'Cebu'"}
_ENTRY = {"value": "acc_1", "reason": "matrix"}
_PLANS = [{"month": "2026-11", "amounts_minor": {"revenue": 100}}]
_POLICY = msgspec.to_builtins(policy.STANDARD)
PEOPLE = [role for role in Role if role is not Role.SERVICE]
PRINCIPALS = ["anonymous", "expired", *(role.value for role in PEOPLE), Role.SERVICE.value]


@dataclass
class World:
    """One firm, and the worker's database, by which alerts and decisions come into being."""

    firm: Firm
    worker: Database
    mark: str
    secrets: list[str] = field(default_factory=list)
    people: dict[Role, User] = field(default_factory=dict)

    def furnish(self) -> World:
        """Somebody in every role."""
        for role in PEOPLE:
            self.people[role] = self.person(role)
        return self

    def person(self, role: Role) -> User:
        """A new person of the firm, with the mark in name and address."""
        with self.firm.tx() as tx:
            email = f"{role.value}.{uuid.uuid4().hex[:8]}@{self.mark}.example"
            return people.create_user(
                tx, self.firm.settings, email=email, name=f"{role.value} {self.mark}", role=role, password=None
            )

    def headers(self, principal: str) -> dict[str, str]:
        """Fresh credentials of a principal of the matrix, as the web app or a machine sends them."""
        if principal == "anonymous":
            return {}
        if principal == Role.SERVICE.value:
            return {"authorization": f"Bearer {self.key()}"}
        token = self.session(self.people[Role.RISK_ANALYST if principal == "expired" else Role(principal)])
        if principal == "expired":
            user = self.people[Role.RISK_ANALYST]
            with self.firm.tx(self.actor(user)) as tx:
                for one in sessions.list_sessions(tx, self.firm.settings, user.id):
                    sessions.end_session(tx, user.id, one.id)
        return {"cookie": f"finer_session={token}", "x-requested-with": "finer"}

    def session(self, user: User) -> str:
        """The token of a new session."""
        with self.firm.tx(self.actor(user)) as tx:
            token = sessions.begin_session(tx, user.id, self.mark, factor=Factor.LINK)
        self.secrets.append(token)
        return token

    def key(self, *scopes: Permission) -> str:
        """A new API key with every scope that a machine may have."""
        every = scopes or tuple(sorted(permissions_of(Role.SERVICE)))
        made = self.firm.key(*every)
        self.secrets.append(made.split("_", 2)[2])
        return made

    def actor(self, user: User) -> Actor:
        """A person as transactions know them."""
        return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value)

    def samples(self) -> Samples:
        """One of everything, new."""
        return Samples(self)


class Samples:
    """One of everything that a path can name, made when it is asked for.

    The method of a path parameter has its name; where one name stands for several things, also the segment before it:
    `security_alerts_alert_id` makes the thing of /security-alerts/{alert_id}.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, str] = {}

    def path(self, template: str) -> str:
        """A path with a sample in the place of each parameter; an id that nothing has where no sample is known."""
        segments = template.split("/")
        return "/".join(
            self._of(segments[i - 1], one.strip("{}")) if one.startswith("{") else one for i, one in enumerate(segments)
        )

    def value(self, name: str) -> str:
        """The sample of a name: the same each time, a random id when none is known."""
        if name not in self._made:
            make: Callable[[], str] | None = getattr(self, name, None)
            self._made[name] = make() if make is not None else uuid.uuid4().hex
        return self._made[name]

    def _of(self, before: str, parameter: str) -> str:
        special = f"{before.replace('-', '_')}_{parameter}"
        if parameter == "path":
            return "nothing"
        return self.value(special if hasattr(self, special) else parameter)

    def contract(self) -> str:
        return "transaction"

    def draft_id(self) -> str:
        with self._world.firm.tx() as tx:
            draft = drafts.create(tx, "transaction", None, self._world.mark)
        return show_id("cver", draft.id)

    def model_id(self) -> str:
        """A candidate."""
        with self._world.firm.tx() as tx:
            made = models.register_model(
                tx, name=self._world.mark, product="fraud", text=model_text(), known={"amount_usd"}, threshold=0.5,
                note=f"Because {self._world.mark}.",
            )  # fmt: skip
        return show_id("mdl", made.id)

    def rule(self) -> str:
        return "high_amount"

    def rule_versions_version_id(self) -> str:
        """A draft that was priced."""
        with self._world.firm.tx() as tx:
            mark = f"r_{uuid.uuid4().hex[:12]}"
            draft = rules.create(tx, mark, read_text(RuleBody(**_RULE)), self._world.mark)
            begun = rules.begin_price(tx, draft.id, 1, 30, 100).price
            assert begun is not None
            rules.note_price(tx, draft.id, msgspec.structs.replace(begun, state="done", events=1000, hits=5))
        return show_id("rlv", draft.id)

    def lists_name(self) -> str:
        """A list with an entry."""
        with self._world.firm.tx() as tx:
            name = f"l_{uuid.uuid4().hex[:12]}"
            there = sorted(lists.all_lists(tx), key=lambda one: one.id)
            if len(there) == LISTS_MAX:
                # Room for it: the newest before served one request, the first may serve all that read.
                lists.delete(tx, there[-1].name)
            lists.create(tx, name, ListKind.ACCOUNT, ListEffect.NONE, self._world.mark)
            entry = NewEntry(value=f"acc-{self._world.mark}", reason=f"Seen {self._world.mark}", source="")
            lists.put(tx, name, [entry])
            self._made["entry_id"] = show_id("lse", lists.entries(tx, name)[0].id)
        return name

    def screening_list(self) -> str:
        """A list to screen against, with an entry."""
        with self._world.firm.tx() as tx:
            name, mark = f"s_{uuid.uuid4().hex[:12]}", self._world.mark
            there = sorted(screening_lists.all_lists(tx), key=lambda one: one.id)
            if len(there) == SCREENING_LISTS_MAX:
                screening_lists.delete(tx, there[-1].name)
            screening_lists.create(tx, name, ScreeningListKind.WATCHLIST, mark)
            text = f"id,name,birth_date\n{uuid.uuid4().hex},Vladimir {mark},1960-01-02\n"
            screening_lists.load_file(tx, name, text, f"{mark}.csv", confirmed=False)
        return name

    def hit_id(self) -> str:
        """Somebody who is like an entry of that list."""
        self.value("screening_list")
        profile = Profile(names=(f"Vladimir {self._world.mark}",))
        subject = Subject(kind=ScreenedKind.PAYEE, reference=f"payee-{uuid.uuid4().hex}", profile=profile)
        with self._world.firm.tx() as tx:
            return show_id("hit", screening_subjects.check(tx, subject)[0].id)

    def alert_id(self) -> str:
        return show_id("alr", self._alert())

    def case_id(self) -> str:
        """A case of its own customer, with a note."""
        alert = self._alert(customer=f"cus-{self._world.mark}-{uuid.uuid4().hex[:8]}")
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            grouping.group_alerts(tx)
        with self._world.firm.tx() as tx:
            case = decisions.get_alert(tx, alert).case_id
            assert case is not None
            cases.add_note(tx, case, f"Note {self._world.mark}")
        self._made["case_alert_id"] = show_id("alr", alert)
        return show_id("cas", case)

    def case_policy(self) -> int:
        """A new version of the firm's due times and checklists."""
        step = PolicyStep(id="marked", text=f"Look for {self._world.mark} {uuid.uuid4().hex[:8]}")
        with self._world.firm.tx() as tx:
            content = msgspec.structs.replace(policy.STANDARD, common=[step])
            return policy.change(tx, policy.in_force(tx).version, content).version

    def targets(self) -> int:
        """A new version of the firm's goals and plans."""
        with self._world.firm.tx() as tx:
            seen = targets.in_force(tx)
            wanted = Targets(goals={"latency": 100.0 + seen.version})
            return targets.change(tx, seen.version, wanted).version

    def case_alert_id(self) -> str:
        self.value("case_id")
        return self._made["case_alert_id"]

    def attachment_id(self) -> str:
        mark, case = self._world.mark, read_id("cas", self.value("case_id"))
        with self._world.firm.tx() as tx:
            made = attachments.add(tx, case, f"{mark}.txt", "text/plain", f"File {mark}".encode())
        return show_id("att", made.id)

    def case_action_id(self) -> str:
        """Something that a system of the firm is to carry out."""
        case, alert = (read_id(kind, self.value(name)) for kind, name in (("cas", "case_id"), ("alr", "case_alert_id")))
        with self._world.firm.tx() as tx:
            made = actions.ask(
                tx, self._world.firm.settings, PROPOSAL_KINDS, case, ActionKind.CONTACT_CUSTOMER, alert,
                f"Because {self._world.mark}.",
            )  # fmt: skip
        return show_id("cac", made.id)

    def step(self) -> str:
        return "history"

    def _alert(self, customer: str | None = None) -> uuid.UUID:
        mark, made = self._world.mark, new_id()
        alert = NewAlert(
            id=made, partition=0, log_offset=next(_offsets), event_id=f"e-{made.hex}", action="review", occurred_at=_AT,
            received_at=_AT, account_id=f"acc-{mark}", customer_id=customer or f"cus-{mark}", card_last4="4242",
            amount_minor=5_000_000, currency="PHP", amount_usd_minor=90_000, merchant_name=f"Shop {mark}",
            merchant_city=f"City {mark}", merchant_country="PH", channel="pos", device_id=f"dev-{mark}",
            rules=["high_amount"], verdict=self._verdict(),
        )  # fmt: skip
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            decisions.record_verdicts(tx, [alert], [])
        return made

    def decision_id(self) -> str:
        made = Decision(
            id=new_id(), event_id=f"d-{self._world.mark}-{uuid.uuid4().hex}", body_hash=b"x" * 32,
            verdict=self._verdict(), decided_at=_AT, alert_id=None,
        )  # fmt: skip
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            decisions.record_verdicts(tx, [], [made])
        return show_id("dec", made.id)

    def _verdict(self) -> Verdict:
        mark = self._world.mark
        return Verdict(
            action="review", rules=[FiredRule("high_amount", f"High {mark}", "review")], reasons=[f"Because {mark}."],
            features={"account.count_10s": 4.0}, score=0.5, rule_pack="p1", feature_set="f1", model=None,
        )  # fmt: skip

    def receipt_id(self) -> str:
        record = f'{{"event_id": "q-{self._world.mark}", "amount": "{self._world.mark}"}}\n'.encode()
        parsed = parsing.parse_group(contracts.contract("transaction"), [Body(data=record)], _AT)
        with self._world.firm.tx() as tx:
            (receipt,) = receipts.append(tx, parsed, 1)
        assert isinstance(receipt, Receipt)
        return show_id("rct", receipt.id)

    def record_id(self) -> str:
        receipt = read_id("rct", self.value("receipt_id"))
        with self._world.firm.tx() as tx:
            [record] = quarantine.list_quarantined(tx, Selection(receipt=receipt)).items
        return show_id("qua", record.id)

    def act_id(self) -> str:
        chosen = Selection(contract="transaction", ids=(read_id("qua", self.value("record_id")),))
        with self._world.firm.tx() as tx:
            return show_id("act", acts.start(tx, "edit", chosen, assignments=[("mcc", "null")], partitions=1).id)

    def prefix(self) -> str:
        self._world.key()
        with self._world.firm.tx() as tx:
            return api_keys.list_api_keys(tx)[0].prefix

    def client_id(self) -> str:
        with self._world.firm.tx() as tx:
            made, secret = api_keys.create_machine(
                tx, kind=MachineKind.OAUTH_CLIENT, name=f"Client {self._world.mark}",
                scopes=[Permission.EVENTS_WRITE], lifetime=timedelta(days=1), networks=[],
            )  # fmt: skip
        self._world.secrets.append(secret)
        return made.prefix

    def session_id(self) -> str:
        user = self._world.people[Role.RISK_ANALYST]
        self._world.session(user)
        with self._world.firm.tx() as tx:
            return show_id("ses", sessions.list_sessions(tx, self._world.firm.settings, user.id)[0].id)

    def passkey_id(self) -> str:
        # Of somebody who makes no request: whoever has a passkey is asked for it before sensitive acts.
        user = self._world.person(Role.RISK_ANALYST)
        made = Passkey(id=new_id(), name=f"Passkey {self._world.mark}", created_at=_AT, last_used_at=None)
        with self._world.firm.tx() as tx:
            FactorStore(tx).add_passkey(user.id, made, made.id.bytes, b"key", 0, [])
        return show_id("pky", made.id)

    def user_id(self) -> str:
        # Of a role that approves nothing: one administrator may let such people in.
        return show_id("usr", self._world.person(Role.CUSTOMER_MANAGER).id)

    def run_id(self) -> str:
        with self._world.firm.tx() as tx:
            return show_id("ver", chain.begin_verification(tx).id)

    def access_alert_id(self) -> str:
        made = SecurityAlert(
            id=new_id(), rule="brute_force", severity="medium", subject=self.user_id(), subject_name=self._world.mark,
            state=SecurityState.OPEN, reasons=[f"Because {self._world.mark}."], first_at=_AT, last_at=_AT, hits=1,
            assignee_id=None, note="", changed_by="", changed_at=None, version=1,
        )  # fmt: skip
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            SecurityStore(tx).add(made)
        return show_id("sal", made.id)

    def request_id(self) -> str:
        mark = self._world.mark
        with self._world.firm.tx() as tx:
            found = requests.open_request(
                tx, kind=RequestKind.ACCESS, law=Law.GDPR, subject_kind=SubjectKind.CUSTOMER, subject=f"cus-{mark}",
                detail=f"Asked by {mark}.",
            )  # fmt: skip
            for step in (Step.VERIFY, Step.PROPOSE):
                version = found.request.version
                found = requests.take_step(tx, found.request.id, step=step, note=mark, version=version)
        approver = self._world.actor(self._world.people[Role.ADMINISTRATOR])
        with self._world.firm.tx(approver) as tx:
            version = found.request.version
            return requests.approve(tx, found.request.id, step=Step.APPROVE, note=mark, version=version).request.id

    def hold_id(self) -> str:
        mark = self._world.mark
        with self._world.firm.tx() as tx:
            return holds.place_hold(
                tx, kind=HoldKind.LEGAL, subject_kind=SubjectKind.CUSTOMER, subject=f"held-{mark}", reason=mark
            )

    def breach_id(self) -> str:
        mark = self._world.mark
        with self._world.firm.tx() as tx:
            return breaches.open_breach(tx, title=mark, description=mark, aware_at=_AT, laws=[Law.GDPR]).id

    def law(self) -> str:
        return Law.GDPR.value

    def what(self) -> str:
        return "sessions"

    def source_id(self) -> str:
        return show_id("src", self._source())

    def hook(self) -> str:
        source = self._source()
        with self._world.firm.tx() as tx:
            token = manage.new_hook(tx, source)
        self._world.secrets.append(token)
        return token

    def _source(self) -> uuid.UUID:
        mark, secret = self._world.mark, f"whsec_{uuid.uuid4().hex}"
        self._world.secrets.append(secret)
        with self._world.firm.tx() as tx:
            return manage.create(
                tx, Reach(mark), name=f"Source {mark} {uuid.uuid4().hex[:6]}", contract="transaction", mapping="",
                settings=StripeSettings(api_version="2025-09-30.clover"), credentials=Credentials(secret=secret),
            ).id  # fmt: skip

    def monitor_id(self) -> str:
        """The first monitor of orders, with an incident that it has a part in."""
        self._incident()
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            return show_id("mon", WatchStore(tx).monitors("order")[0].id)

    def incident_id(self) -> str:
        return show_id("inc", self._incident())

    def _incident(self) -> uuid.UUID:
        """Somebody sent texts with the mark where amounts belong: nearly everything is refused."""
        made = new_id()
        with self._world.worker.transaction(self._world.firm.tenant.id, SYSTEM) as tx:
            store = WatchStore(tx)
            if not store.monitors("order"):
                store.take("order")
                store.add_monitors("order", 0, [(MonitorKind.VALIDITY, "")])
            part = Part(
                monitor=store.monitors("order")[0].id, kind=MonitorKind.VALIDITY, field="", value=0.9, low=None,
                high=0.01, worst=0.9, since=_AT,
            )  # fmt: skip
            IncidentStore(tx).add(
                Incident(
                    id=made, contract="order", state=IncidentState.OPEN, severity=QualitySeverity.CRITICAL, since=_AT,
                    opened_at=_AT, last_at=_AT, closed_at=None, parts=(part,), note=self._world.mark, changed_by="",
                    keys=Keys(kind="event", ids=(f"e-{self._world.mark}",), records=1), changed_at=None, version=1,
                )
            )  # fmt: skip
        return made

    def sql_run_id(self) -> str:
        with self._asker() as tx:
            made = queries.submit(tx, NewRun(statement=f"select '{self._world.mark}'", fresh=True))
        with self._asker() as tx:
            # What waits is counted; a run that is over takes no place from the next request.
            return show_id(queries.PREFIX, queries.cancel(tx, made.id).id)

    def saved_id(self) -> str:
        mark = self._world.mark
        draft = Draft(name=f"Saved {mark}", statement=f"select '{mark}'", sharing=Sharing.TENANT)
        with self._asker() as tx:
            return show_id(saved.PREFIX, saved.create_saved(tx, draft).id)

    def dashboard_id(self) -> str:
        mark = self._world.mark
        tile = Tile(id="a", title=f"Tile {mark}", kind=TileKind.TABLE, x=0, y=0, w=6, h=4,
                    query=QueryPart(saved=self.saved_id()))  # fmt: skip
        draft = BoardDraft(name=f"Board {mark}", sharing=Sharing.TENANT, tiles=(tile,))
        with self._asker() as tx:
            made = dashboards.create_dashboard(tx, draft).id
            note = notes.annotate(tx, made, _AT, f"Note {mark}")[0]
        # While there is a dashboard to note something on: a walk over all routes deletes it at some point.
        self._made["annotation_id"] = show_id(notes.PREFIX, note.id)
        return show_id(dashboards.PREFIX, made)

    def tile(self) -> str:
        return "a"

    def annotation_id(self) -> str:
        self.value("dashboard_id")
        return self._made["annotation_id"]

    def metric_alert_id(self) -> str:
        mark = self._world.mark
        wanted = MetricAlert(name=f"Alert {mark}", watched=Watched(metric="orders_placed"), condition="value > 1")
        with self._watcher() as tx:
            return show_id(ALERT_PREFIX, metric_alerts.create_alert(tx, wanted).id)

    def segment_id(self) -> str:
        mark = self._world.mark
        wanted = SegmentDraft(name=f"Segment {mark}", description=f"Made {mark}", condition=f"city = 'City {mark}'")
        with self._world.firm.tx(self._world.actor(self._world.people[Role.MARKETING_MANAGER])) as tx:
            return show_id(SEGMENT_PREFIX, segments.create_segment(tx, wanted).id)

    def silence_id(self) -> str:
        with self._watcher() as tx:
            until = tx.now() + timedelta(hours=1)
            quiet = Silence(id=new_id(), alert_id=None, group="matrix", until=until, reason=self._world.mark)
            metric_alerts.silence(tx, quiet)
        return show_id(SILENCE_PREFIX, quiet.id)

    def hook_id(self) -> str:
        with self._world.firm.tx(self._world.actor(self._world.people[Role.ADMINISTRATOR])) as tx:
            url = f"https://{self._world.mark}.example/hook"
            name = f"Hook {self._world.mark} {new_id()}"
            hook, secret = notifications.add_hook(tx, self._world.firm.settings, name, url)
        self._world.secrets.append(secret)
        return show_id(notifications.HOOK_PREFIX, hook.id)

    def _watcher(self) -> AbstractContextManager[Tx]:
        return self._world.firm.tx(self._world.actor(self._world.people[Role.EXECUTIVE]))

    def schedule_id(self) -> str:
        plan = Plan(name=f"Plan {self._world.mark}", saved_id=read_id(saved.PREFIX, self.saved_id()),
                    cron="0 9 * * *")  # fmt: skip
        with self._asker() as tx:
            return show_id(schedules.PREFIX, schedules.create_schedule(tx, plan).id)

    def _asker(self) -> AbstractContextManager[Tx]:
        return self._world.firm.tx(self._world.actor(self._world.people[Role.DATA_ENGINEER]))

    def team_id(self) -> str:
        with self._world.firm.tx() as tx:
            return show_id("tem", teams.create_team(tx, name=f"Team {self._world.mark} {uuid.uuid4().hex[:6]}").id)

    def export_id(self) -> str:
        """Of somebody who makes no request: an export is its owner's only."""
        wanted = Wanted(table=f"orders_{self._world.mark}", format=ExportFormat.CSV)
        owner = self._world.person(Role.DATA_ENGINEER)
        made = new_id()
        with self._world.firm.tx(self._world.actor(owner)) as tx:
            ExportStore(tx).add(made, wanted, None, str(owner.id), owner.role.value)
        return show_id("exp", made)

    def field(self) -> str:
        return "amount"

    def entry(self) -> str:
        return "rule:high_amount"

    def job(self) -> str:
        return "compact_lake"

    def job_run_id(self) -> str:
        with self._world.firm.tx() as tx:
            asked = runs.start(tx, "compact_lake", arguments={"mark": self._world.mark})
            assert asked is not None
            runs.finish(tx, asked, RunState.FAILED, error=self._world.mark)
            return show_id("run", asked)

    def notification_id(self) -> str:
        mark = self._world.mark
        with self._world.firm.tx() as tx:
            told = NewNotification(
                kind="test", severity=Severity.WARNING, title=mark, text=mark, link="/", permission=Permission.SQL_RUN
            )
            notifications.notify(tx, told)
            return show_id("ntf", notifications.list_notifications(tx, limit=1)[0][0].id)

    def proposal_id(self) -> str:
        return show_id("pro", self.proposal.id)

    def proposal_sha256(self) -> str:
        return self.proposal.payload_sha256.hex()

    @cached_property
    def proposal(self) -> Proposal:
        """What one administrator proposes and another one may approve."""
        maker = self._world.person(Role.ADMINISTRATOR)
        payload = {"user": self.user_id(), "role": Role.AUDITOR.value}
        with self._world.firm.tx(self._world.actor(maker)) as tx:
            return proposals.propose(tx, PROPOSAL_KINDS, ROLE, payload, f"Because {self._world.mark}.")


def body_of(samples: Samples, route: str) -> Any:
    """A good body of one write (`POST /path/{parameter}`); of all samples only those are made that it needs."""
    for name in _ALSO_THERE.get(route, ()):
        samples.value(name)
    return _filled(bodies(_Names()).get(route, {}), samples)


# What a write takes without naming it.
_ALSO_THERE = {"POST /api/v1/cases/next": ("case_id",)}


class _Named(msgspec.Struct, frozen=True):
    """The place of a sample in a body."""

    name: str


class _Names:
    """Stands for samples where they are only to be named."""

    def value(self, name: str) -> Any:
        return _Named(name)


def _filled(part: Any, samples: Samples) -> Any:
    if isinstance(part, _Named):
        return samples.value(part.name)
    if isinstance(part, dict):
        return {key: _filled(value, samples) for key, value in part.items()}
    return [_filled(value, samples) for value in part] if isinstance(part, list) else part


@functools.cache
def _transaction_text() -> str:
    return contracts.built_in_texts()["transaction"]


def bodies(samples: Samples | _Names) -> dict[str, Any]:
    """A good body of each write that takes one, by method and path; other writes are sent an empty object."""
    sha256 = samples.value("proposal_sha256")
    one_record = {"contract": "transaction", "rule": "matrix"}
    assigned = [{"field": "mcc", "expression": "null"}]
    about = {"alert_id": samples.value("case_alert_id")}
    return {
        "POST /api/v1/alerts/{alert_id}/resolution": {"verdict": "dismissed", "version": 1},
        "POST /api/v1/alerts/{alert_id}/assignment": {"version": 1},
        "POST /api/v1/alerts/{alert_id}/taking": {"version": 1},
        "POST /api/v1/alerts/{alert_id}/reveal": {"field": "account_id", "reason": "matrix"},
        "POST /api/v1/case-actions/{case_action_id}/outcome": {"done": True, "result": "matrix"},
        "PUT /api/v1/cases/analysts/{user_id}": {"skills": ["card"], "available": True},
        "PUT /api/v1/operations/targets": {"version": samples.value("targets"), "goals": {}, "plans": _PLANS},
        "PUT /api/v1/cases/policy": {"version": samples.value("case_policy"), "content": _POLICY},
        "POST /api/v1/cases/{case_id}/actions": {**about, "kind": "block_card", "reason": "matrix"},
        "POST /api/v1/cases/{case_id}/actions/{case_action_id}/undoing": {"version": 2, "reason": "matrix"},
        "POST /api/v1/cases/{case_id}/assignment": {"version": 2},
        "POST /api/v1/cases/{case_id}/attachments": {
            "name": "a.txt",
            "media_type": "text/plain",
            "content": "bWF0cml4",
        },
        "PUT /api/v1/cases/{case_id}/checklist/{step}": {"done": True},
        "POST /api/v1/cases/{case_id}/closing": {"version": 2, "verdict": "dismissed", "note": "matrix"},
        "POST /api/v1/cases/{case_id}/labels": {
            "alerts": [about["alert_id"]],
            "verdict": "confirmed_fraud",
            "source": "customer",
            "reason": "matrix",
        },
        "POST /api/v1/cases/{case_id}/notes": {"text": "matrix"},
        "POST /api/v1/cases/{case_id}/reopening": {"version": 2, "reason": "matrix"},
        "PUT /api/v1/cases/{case_id}/report": {"version": 0, "draft": {}},
        "POST /api/v1/cases/{case_id}/report/export": {"format": "json", "reason": "matrix"},
        "POST /api/v1/cases/{case_id}/state": {"version": 2, "state": "waiting", "reason": "matrix"},
        "POST /api/v1/cases/{case_id}/taking": {"version": 2},
        "POST /api/v1/contract-drafts": {"name": "parcel"},
        "PUT /api/v1/contract-drafts/{draft_id}": {
            "text": _transaction_text(),
            "revision": 1,
        },
        "POST /api/v1/contract-drafts/{draft_id}/trial": {"revision": 1},
        "POST /api/v1/contract-drafts/{draft_id}/publication": {"revision": 1, "reason": "matrix"},
        "POST /api/v1/labels": {
            "labels": [
                {
                    "event_id": "nothing",
                    "verdict": "dismissed",
                    "source": "customer",
                    "reason": "matrix",
                    "occurred_at": _AT.isoformat(),
                }
            ]
        },
        "POST /api/v1/lists": {"name": f"l_{uuid.uuid4().hex[:12]}", "kind": "merchant"},
        "POST /api/v1/lists/{name}/allowance": {"entries": [_ENTRY]},
        "POST /api/v1/lists/{name}/entries": {"entries": [_ENTRY]},
        "POST /api/v1/lists/{name}/removal": {"reason": "matrix", "whole": True},
        "POST /api/v1/lists/{name}/file": {"csv": "value\nacc_1", "reason": "matrix"},
        "POST /api/v1/lists/{name}/lookup": {"value": "acc_1"},
        "POST /api/v1/models/{model_id}/promotion": {"reason": "matrix"},
        "POST /api/v1/models/{model_id}/retirement": {"reason": "matrix"},
        "POST /api/v1/models/{model_id}/withdrawal": {"reason": "matrix"},
        "POST /api/v1/rule-versions": {"rule": f"r_{uuid.uuid4().hex[:12]}", "text": _RULE},
        "PUT /api/v1/rule-versions/{version_id}": {"text": _RULE, "revision": 1},
        "POST /api/v1/rule-versions/{version_id}/price": {"revision": 1},
        "POST /api/v1/rule-versions/prices": {
            "versions": [{"id": samples.value("rule_versions_version_id"), "revision": 1}]
        },
        "POST /api/v1/rule-versions/{version_id}/publication": {"reason": "matrix"},
        "POST /api/v1/rule-versions/{version_id}/restoration": {"reason": "matrix"},
        "POST /api/v1/rule-versions/{version_id}/retirement": {"reason": "matrix"},
        "POST /api/v1/rule-versions/{version_id}/shadow": {"revision": 1},
        "POST /api/v1/rule-versions/{version_id}/stop": {"reason": "matrix"},
        "POST /api/v1/rules/validation": _RULE,
        "POST /api/v1/screening/checks": {"reference": uuid.uuid4().hex, "names": ["Maria Santos"]},
        "POST /api/v1/screening/hits/{hit_id}/judgement": {"state": "unsure", "reason": "matrix", "revision": 1},
        "POST /api/v1/screening/lists": {"name": f"s_{uuid.uuid4().hex[:12]}", "kind": "watchlist"},
        "POST /api/v1/screening/lists/{screening_list}/file": {"text": "name\nAna Cruz", "confirmed": True},
        "POST /api/v1/contracts/validation": {"name": "transaction", "text": "x"},
        "POST /api/v1/proposals/{proposal_id}/approval": {"sha256": sha256, "reason": "matrix"},
        "POST /api/v1/proposals/{proposal_id}/rejection": {"sha256": sha256, "reason": "matrix"},
        "POST /api/v1/users": {"email": f"{uuid.uuid4().hex}@x.example", "name": "Matrix", "role": "auditor"},
        "POST /api/v1/users/{user_id}/enabling": {"reason": "matrix"},
        "PUT /api/v1/users/{user_id}/role": {"role": "auditor", "reason": "matrix"},
        "POST /api/v1/api-keys": {"name": "matrix", "scopes": ["events:write"], "days": 1, "reason": "matrix"},
        "PATCH /api/v1/api-keys/{prefix}": {"name": "renamed"},
        "POST /api/v1/oauth/clients": {"name": "matrix", "scopes": ["events:write"], "days": 1, "reason": "matrix"},
        "PATCH /api/v1/oauth/clients/{client_id}": {"name": "renamed"},
        "PUT /api/v1/quality/monitors/{monitor_id}": {"version": 1, "sensitivity": "high"},
        "POST /api/v1/quality/incidents/{incident_id}/acknowledge": {"version": 1, "note": "matrix"},
        "POST /api/v1/quality/incidents/{incident_id}/expect": {"version": 1, "note": "matrix"},
        "POST /api/v1/quality/incidents/{incident_id}/resolve": {"version": 1, "note": "matrix"},
        "POST /api/v1/quarantine/discards": {"selection": one_record, "reason": "matrix"},
        "POST /api/v1/quarantine/edits": {"selection": one_record, "assignments": assigned},
        "POST /api/v1/quarantine/preview": {"selection": one_record, "assignments": assigned},
        "POST /api/v1/quarantine/releases": {"selection": one_record},
        "POST /api/v1/quarantine/undos": {"selection": one_record},
        "PUT /api/v1/quarantine/{record_id}": {"changes": {"mcc": "5411"}},
        "POST /api/v1/quarantine/{record_id}/check": {"changes": {"mcc": "5411"}},
        "POST /api/v1/quarantine/{record_id}/reveal": {"reason": "matrix"},
        "POST /api/v1/bi/extracts": {"name": "sales", "tables": ["transactions"], "reason": "matrix"},
        "POST /api/v1/lake/exports": {"table": "transactions", "format": "csv"},
        "POST /api/v1/jobs/{job}/backfill": {"first": "2026-11-01", "last": "2026-11-02"},
        "POST /api/v1/privacy/breaches": {"title": "Lost", "aware_at": _AT.isoformat(), "laws": ["gdpr"]},
        "POST /api/v1/privacy/breaches/{breach_id}/assessment": {"state": "notifiable", "version": 1},
        "PUT /api/v1/privacy/breaches/{breach_id}/notices/{law}": {"reason": "later"},
        "POST /api/v1/privacy/holds": {"kind": "legal", "subject_kind": "customer", "subject": "c", "reason": "r"},
        "POST /api/v1/privacy/requests": {"kind": "object", "law": "gdpr", "subject_kind": "customer", "subject": "c"},
        "POST /api/v1/privacy/requests/{request_id}/approval": {"step": "send_back", "version": 4, "note": "no"},
        "POST /api/v1/privacy/requests/{request_id}/steps": {"step": "refuse", "version": 4, "note": "no"},
        "PUT /api/v1/privacy/retention/{what}": {"days": 90},
        "POST /api/v1/security-alerts/{access_alert_id}/containment": {"act": "end_sessions"},
        "POST /api/v1/security-alerts/{access_alert_id}/state": {"state": "acknowledged", "version": 1},
        "POST /api/v1/sources": _stripe(f"Matrix {uuid.uuid4().hex[:8]}", credentials={"secret": "whsec_" + "m" * 20}),
        "POST /api/v1/sources/trials": {
            name: value
            for name, value in _stripe("", credentials={"secret": "whsec_" + "m" * 20}).items()
            if name != "name"
        },
        "PUT /api/v1/sources/{source_id}": _stripe(f"Renamed {uuid.uuid4().hex[:8]}"),
        "PATCH /api/v1/account/passkeys/{passkey_id}": {"name": "renamed"},
        "POST /api/v1/hooks": {"name": "matrix", "url": "https://hooks.example/matrix"},
        "POST /api/v1/metric-alerts": _METRIC_ALERT,
        "POST /api/v1/metric-alerts/silences": {
            "until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "reason": "matrix",
            "group": "matrix",
        },
        "PUT /api/v1/metric-alerts/{metric_alert_id}": _METRIC_ALERT | {"version": 1},
        "POST /api/v1/segments": _SEGMENT,
        "PUT /api/v1/segments/{segment_id}": _SEGMENT | {"version": 1},
        "POST /api/v1/segments/preview": {"condition": "city = 'Cebu'"},
        "POST /api/v1/segments/validation": {"condition": "city = 'Cebu'"},
        "POST /api/v1/dashboards": {"name": "matrix"},
        "PUT /api/v1/dashboards/{dashboard_id}": {"name": "matrix", "version": 1},
        "POST /api/v1/dashboards/{dashboard_id}/annotations": {"at": _AT.isoformat(), "text": "matrix"},
        "PUT /api/v1/dashboards/{dashboard_id}/digest": {"cron": "0 8 * * *"},
        "POST /api/v1/sql/explanation": {"statement": "select 1"},
        "POST /api/v1/sql/layout": {"statement": "select 1"},
        "POST /api/v1/sql/queries": {"statement": "select 1", "wait_s": 0},
        "POST /api/v1/sql/saved": {"name": "matrix", "statement": "select 1"},
        "PUT /api/v1/sql/saved/{saved_id}": {"name": "matrix", "statement": "select 1", "version": 1},
        "PUT /api/v1/sql/saved/{saved_id}/favourite": {"favourite": True},
        "POST /api/v1/sql/schedules": {"saved": samples.value("saved_id"), "cron": "0 9 * * *"},
        "PUT /api/v1/sql/schedules/{schedule_id}": {
            "saved": samples.value("saved_id"),
            "cron": "0 9 * * *",
            "version": 1,
        },
        "POST /api/v1/teams": {"name": f"Team {uuid.uuid4().hex[:8]}"},
        "PUT /api/v1/firm": {"name": "Renamed", "logo_text": "Renamed", "timezone": "UTC"},
        "PUT /api/v1/firm/sign-in": {"second_factor_required": False},
        "POST /api/v1/sso/attempts": {"firm": "no-such-firm"},
        "POST /api/v1/sso/discovery": {"issuer": "https://127.0.0.1"},
        "PUT /api/v1/sso/provider": {
            "name": "ID",
            "issuer": "https://id.example",
            "client_id": "finer",
            "client_secret": "x",
        },
        "PUT /api/v1/teams/{team_id}/members": {"members": [samples.value("user_id")]},
    }


def _stripe(name: str, **more: Any) -> dict[str, Any]:
    settings = {"type": "stripe", "api_version": "2025-09-30.clover"}
    return {"name": name, "contract": "transaction", "connection": settings, **more}
