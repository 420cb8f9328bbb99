"""Every rule of unauthorised access fires for its case, and not for the one next to it."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from finer.identity.errors import AlertChanged, NotAcceptable, SecurityAlertNotFound
from finer.identity.rules.detection import CATALOGUE, EXPORTS, PRIVILEGES, REFUSABLE, RULES, evaluate, render
from finer.identity.rules.places import distance_km, network_of, read_places
from finer.identity.service import audit, chain, denials, detection, security_alerts, sessions
from finer.identity.types.access import Factor, Role, User
from finer.identity.types.security_alerts import Containment, SecurityAlert, SecurityState
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.conditions.condition import parse_condition
from finer.kit.db import WORKER, Database
from finer.kit.errors import InvalidInput
from finer.privacy.types import Step
from tests.support.identity import Firm

_MANILA, _MANILA_TOO, _LONDON, _NOWHERE = "203.0.113.9", "203.0.99.1", "198.51.100.7", "192.0.2.1"
_PLACES = ["network,country,lat,lon", "203.0.0.0/16,PH,14.6,121.0", "198.51.100.0/24,GB,51.5,-0.1"]


@dataclass
class Watch:
    """A firm whose trail is written by hand, and the detection that reads it."""

    firm: Firm
    worker: Database
    clock: FixedClock

    def actor(self, user: User) -> Actor:
        return Actor(kind="user", id=str(user.id), name=user.name, role=user.role.value)

    def entry(self, actor: Actor, action: str, subject: str = "x", outcome: str = "done", **request: Any) -> None:
        for variable, name in ((audit.ORIGIN, "origin"), (audit.AGENT, "agent"), (audit.REQUEST, "request")):
            variable.set(request.get(name, ""))
        with self.firm.tx(actor) as tx:
            audit.record_audit(tx, action, subject, request.get("detail"), outcome)

    def sign_in(self, user: User, origin: str, agent: str = "Firefox") -> None:
        self.entry(self.actor(user), "session:begin", "ses_x", origin=origin, agent=agent)

    def refuse(self, user: User, origin: str = _MANILA) -> None:
        self.entry(SYSTEM, "session:begin", f"usr_{user.id.hex}", "refused", origin=origin)

    def wait(self, **time: float) -> None:
        self.clock.advance(timedelta(**time))

    def look(self) -> dict[str, SecurityAlert]:
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            while chain.seal(tx):
                pass
            detection.detect(tx, read_places(_PLACES))
            detection.watch_readers(tx)
        return self.alerts()

    def alerts(self) -> dict[str, SecurityAlert]:
        with self.firm.tx() as tx:
            found, _ = security_alerts.list_security_alerts(tx, limit=200)
        assert len({(one.rule, one.subject) for one in found if one.state != "closed"}) == len(
            [one for one in found if one.state != "closed"]
        )
        return {one.rule: one for one in reversed(found)}


@pytest.fixture
def watch(firm: Firm, database_url: str, clock: FixedClock) -> Iterator[Watch]:
    worker = Database(database_url, WORKER, connections=2, clock=clock)
    yield Watch(firm, worker, clock)
    for variable in (audit.ORIGIN, audit.AGENT, audit.REQUEST):
        variable.set("")
    worker.close()


# Where the name stands among the arguments of whatever writes into the trail.
_WRITERS = {"record_audit": 1, "note_read": 1, "audit_entry": 1, "take": 3}


def _recorded() -> set[str]:
    """Every action that the code writes into the trail by a name that stands there, or is a constant of the module."""
    found, machines = set[str](), set[str]()
    for path in (Path(detection.__file__).parents[2]).rglob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            writer = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = 1 if writer == "_record" and path.stem == "api_keys" else _WRITERS.get(writer, len(node.args))
            if place >= len(node.args):
                continue
            word = node.args[place]
            name = constants.get(word.id) if isinstance(word, ast.Name) else getattr(word, "value", None)
            if isinstance(name, str):
                (machines if writer == "_record" else found).add(name)
    # These two put their names together.
    found |= {f"{area}:{act}" for area in ("api_keys", "oauth_clients") for act in machines}
    return found | {f"privacy:{step.value}" for step in Step}


def test_every_act_that_a_rule_listens_for_is_one_that_is_recorded() -> None:
    """A rule that waits for a name which nothing writes is silent for ever, and nobody notices."""
    recorded = _recorded()
    assert len(recorded) > 80
    assert sorted({*PRIVILEGES, *EXPORTS, *REFUSABLE} - recorded) == []


def test_travel_faster_than_a_plane_is_noticed(watch: Watch) -> None:
    user = watch.firm.user()
    watch.sign_in(user, _MANILA)
    watch.wait(hours=2)
    watch.sign_in(user, _LONDON)
    alert = watch.look()["impossible_travel"]
    assert (alert.severity, alert.subject, alert.hits) == ("high", f"usr_{user.id.hex}", 1)
    assert "10,7" in alert.reasons[0]
    assert "120 minutes before" in alert.reasons[0]


@pytest.mark.parametrize(("hours", "there"), [(13.0, _LONDON), (2.0, _MANILA_TOO), (2.0, _NOWHERE)])
def test_travel_that_a_plane_can_do_or_nobody_knows_is_no_alarm(watch: Watch, hours: float, there: str) -> None:
    user = watch.firm.user()
    watch.sign_in(user, _MANILA)
    watch.wait(hours=hours)
    watch.sign_in(user, there)
    assert "impossible_travel" not in watch.look()


def test_two_networks_and_devices_within_minutes_are_noticed_without_any_map(watch: Watch) -> None:
    user = watch.firm.user()
    watch.sign_in(user, "192.0.2.1", "Firefox")
    watch.wait(minutes=3)
    watch.sign_in(user, "100.64.0.1", "curl")
    assert "two_places_at_once" in watch.look()


@pytest.mark.parametrize(
    ("minutes", "origin", "agent"),
    [(16, "100.64.0.1", "curl"), (3, "192.0.77.1", "curl"), (3, "100.64.0.1", "Firefox")],
)
def test_the_same_network_or_device_or_more_time_is_no_alarm(
    watch: Watch, minutes: int, origin: str, agent: str
) -> None:
    user = watch.firm.user()
    watch.sign_in(user, "192.0.2.1", "Firefox")
    watch.wait(minutes=minutes)
    watch.sign_in(user, origin, agent)
    assert "two_places_at_once" not in watch.look()


def test_a11_many_accounts_from_one_address_are_a_spray(watch: Watch) -> None:
    users = [watch.firm.user(password=None) for _ in range(5)]
    for user in users[:4]:
        watch.refuse(user)
    watch.wait(minutes=9)
    assert "password_spray" not in watch.look()
    watch.refuse(users[4])
    alert = watch.look()["password_spray"]
    assert alert.subject == _MANILA
    assert alert.reasons == [f"5 different accounts were tried from {_MANILA} within 10 minutes, without success."]


def test_a11_many_accounts_over_a_longer_time_or_from_many_addresses_are_none(watch: Watch) -> None:
    for number in range(8):
        watch.refuse(watch.firm.user(password=None), f"192.0.2.{number}")
        watch.refuse(watch.firm.user(password=None), _LONDON)
        watch.wait(minutes=4)
    assert "password_spray" not in watch.look()


def test_brute_force_and_the_break_in_after_it(watch: Watch) -> None:
    user = watch.firm.user()
    for number in range(7):
        watch.refuse(user, f"192.0.2.{number}")
    watch.sign_in(user, _MANILA)
    found = watch.look()
    assert not {"brute_force", "break_in"} & set(found)
    watch.refuse(user)
    watch.sign_in(user, _MANILA)
    found = watch.look()
    assert found["brute_force"].subject == found["break_in"].subject == f"usr_{user.id.hex}"
    assert found["break_in"].severity == "high"


def test_failures_long_ago_are_no_break_in(watch: Watch) -> None:
    user = watch.firm.user()
    for _ in range(7):
        watch.refuse(user)
    watch.wait(minutes=11)
    watch.refuse(user)
    watch.sign_in(user, _MANILA)
    assert not {"brute_force", "break_in"} & set(watch.look())


def test_a_new_device_in_a_new_network_is_noticed_once_there_is_a_habit(watch: Watch) -> None:
    user = watch.firm.user()
    watch.sign_in(user, _LONDON, "curl")
    for _ in range(3):
        watch.wait(days=2)
        watch.sign_in(user, _MANILA)
    assert "new_device" not in watch.look()
    watch.wait(days=2)
    watch.sign_in(user, _MANILA_TOO, "Safari")
    watch.wait(days=2)
    watch.sign_in(user, _NOWHERE, "Firefox")
    assert "new_device" not in watch.look()
    watch.wait(days=2)
    watch.sign_in(user, "100.64.0.1", "Lynx")
    assert watch.look()["new_device"].severity == "low"


def _read(watch: Watch, actor: Actor, rows: int) -> None:
    with watch.firm.tx() as tx:
        denials.note_reads(tx, [(actor, watch.clock.now().replace(second=0), rows, 1)])


def test_reading_more_than_anybody_should_is_noticed(watch: Watch) -> None:
    actor = watch.actor(watch.firm.user())
    _read(watch, actor, 20_000)
    assert "mass_read" not in watch.look()
    watch.wait(minutes=9)
    _read(watch, actor, 1)
    alert = watch.look()["mass_read"]
    assert alert.reasons == ["Read 20,001 rows within 10 minutes; the usual most is 0."]
    assert watch.look()["mass_read"].hits == 1
    watch.wait(minutes=30)
    assert watch.look()["mass_read"].hits == 1


def test_reading_ten_times_the_own_habit_is_noticed_and_nine_times_is_not(watch: Watch) -> None:
    quiet, busy = (watch.actor(watch.firm.user()) for _ in range(2))
    for _ in range(25):
        _read(watch, quiet, 120)
        _read(watch, busy, 300)
        watch.wait(hours=2)
    _read(watch, quiet, 1_201)
    _read(watch, busy, 2_700)
    alert = watch.look()["mass_read"]
    assert alert.subject == f"usr_{uuid.UUID(quiet.id).hex}"


def test_without_a_habit_only_the_absolute_limit_counts(watch: Watch) -> None:
    actor = watch.actor(watch.firm.user())
    for _ in range(5):
        _read(watch, actor, 10)
        watch.wait(hours=2)
    _read(watch, actor, 5_000)
    assert "mass_read" not in watch.look()


@pytest.mark.parametrize(("hours", "alarm"), [(0.0, False), (3.9, False), (4.1, True), (12.5, True), (13.1, False)])
def test_an_export_at_night_is_noticed(watch: Watch, hours: float, alarm: bool) -> None:
    # The clock stands at Monday 17:00 in Manila; 24 hours later it is Tuesday.
    watch.wait(hours=hours)
    watch.entry(watch.actor(watch.firm.user()), "audit:export", "audit trail")
    assert ("off_hours_export" in watch.look()) is alarm


def test_an_export_on_a_weekend_is_noticed_unless_it_is_a_habit(watch: Watch) -> None:
    habitual, other = (watch.actor(watch.firm.user()) for _ in range(2))
    watch.wait(days=4, hours=18)  # Saturday 11:00
    watch.entry(habitual, "audit:export")
    watch.look()
    watch.wait(days=7)
    watch.entry(habitual, "audit:export")
    watch.entry(other, "audit:export")
    watch.entry(SYSTEM, "audit:export")
    found = watch.look()
    assert "on a weekend" in found["off_hours_export"].reasons[0]
    with watch.firm.tx() as tx:
        alerts, _ = security_alerts.list_security_alerts(tx, rule="off_hours_export")
    assert {(one.subject[:4], one.hits) for one in alerts} == {("usr_", 1)}
    assert len(alerts) == 2


def test_privileges_changed_without_approval_are_noticed(watch: Watch) -> None:
    admin = watch.actor(watch.firm.user(Role.ADMINISTRATOR))
    watch.entry(admin, "users:role", "usr_x", request="req_1")
    watch.entry(admin, "proposals:approve", "pro_x", request="req_1")
    watch.entry(SYSTEM, "users:create", "usr_y")
    watch.entry(admin, "users:role", "usr_x", "denied")
    assert "privilege_change" not in watch.look()
    watch.entry(admin, "users:role", "usr_x", request="req_2")
    assert watch.look()["privilege_change"].reasons == ["Did users:role without the approval of a second person."]


@pytest.mark.parametrize(("rule", "outcome", "enough"), [("denied_burst", "denied", 20), ("probing", "not_found", 30)])
def test_a_burst_of_denied_requests_is_noticed(watch: Watch, rule: str, outcome: str, enough: int) -> None:
    analyst = watch.actor(watch.firm.user())
    watch.entry(analyst, "alerts:read", "GET /x", outcome)
    watch.entry(analyst, "alerts:read", "GET /x", outcome, detail={"count": enough - 2})
    assert rule not in watch.look()
    watch.entry(analyst, "alerts:read", "GET /y", outcome)
    assert watch.look()[rule].hits == 1
    watch.wait(minutes=11)
    watch.entry(analyst, "alerts:read", "GET /y", outcome)
    assert watch.look()[rule].hits == 1


def test_b01_guessing_ids_through_the_real_book_of_denials_is_noticed(watch: Watch) -> None:
    analyst = watch.actor(watch.firm.user())
    book = denials.DenialBook()
    for number in range(40):
        denial = denials.Denial(
            tenant=watch.firm.tenant.id, actor=analyst, action="alerts:read", subject="GET /alerts/{id}",
            outcome="not_found", path=f"/alerts/alr_{number}", at=watch.clock.now(), origin=_MANILA, user_agent="curl",
            session="", request="",
        )  # fmt: skip
        assert not book.note(denial)
    watch.wait(seconds=61)
    with watch.firm.tx(analyst) as tx:
        for tally in book.due(watch.clock.now()):
            denials.record_tally(tx, tally)
    alert = watch.look()["probing"]
    assert "Asked 40 times" in alert.reasons[0]
    with watch.firm.tx() as tx:
        [line] = security_alerts.timeline(tx, alert)
    assert line.detail["paths"][0] == "/alerts/alr_0"


def test_hits_join_the_open_alert_and_a_closed_one_is_not_opened_by_what_its_closer_has_seen(watch: Watch) -> None:
    user = watch.firm.user()
    for _ in range(9):
        watch.refuse(user)
        watch.wait(seconds=1)
    first = watch.look()["brute_force"]
    assert first.hits == 2
    watch.refuse(user)
    auditor = watch.actor(watch.firm.user(Role.ADMINISTRATOR))
    watch.wait(seconds=1)
    with watch.firm.tx(auditor) as tx:
        taken = security_alerts.change_security_alert(
            tx, first.id, state=SecurityState.ACKNOWLEDGED, note="", version=first.version
        )
        assert str(taken.assignee_id) == auditor.id
        with pytest.raises(AlertChanged):
            security_alerts.change_security_alert(
                tx, first.id, state=SecurityState.CLOSED, note="late", version=first.version
            )
        with pytest.raises(NotAcceptable, match="note"):
            security_alerts.change_security_alert(tx, first.id, state=SecurityState.CLOSED, note=" ", version=2)
        security_alerts.change_security_alert(
            tx, first.id, state=SecurityState.CLOSED, note="A forgotten one.", version=2
        )
    assert watch.look()["brute_force"].state is SecurityState.CLOSED
    watch.wait(seconds=1)
    watch.refuse(user)
    watch.look()
    with watch.firm.tx() as tx:
        found, _ = security_alerts.list_security_alerts(tx, rule="brute_force")
        assert [one.state for one in found] == [SecurityState.OPEN, SecurityState.CLOSED]
        assert security_alerts.count_security_alerts(tx) == {"open": 1, "closed": 1}


def test_containment_ends_sessions_disables_people_and_revokes_keys(watch: Watch) -> None:
    user, admin = watch.firm.user(), watch.actor(watch.firm.user(Role.ADMINISTRATOR))
    with watch.firm.tx() as tx:
        sessions.begin_session(tx, user.id, "test", factor=Factor.PASSWORD)
    for _ in range(8):
        watch.refuse(user)
    alert = watch.look()["brute_force"]
    with watch.firm.tx(admin) as tx:
        security_alerts.contain(tx, alert.id, Containment.END_SESSIONS)
        assert sessions.list_sessions(tx, watch.firm.settings, user.id) == []
        security_alerts.contain(tx, alert.id, Containment.DISABLE_USER)
        with pytest.raises(NotAcceptable, match="does not fit"):
            security_alerts.contain(tx, alert.id, Containment.REVOKE_KEY)
    with watch.firm.tx(watch.actor(user)) as tx, pytest.raises(NotAcceptable, match="about yourself"):
        security_alerts.contain(tx, alert.id, Containment.DISABLE_USER)
    actions = {line.action for line in _trail(watch)}
    assert {"sessions:end_all", "users:disable", "security_alerts:raise"} <= actions


def _trail(watch: Watch) -> list[Any]:
    with watch.firm.tx() as tx:
        return audit.list_audit(tx, 200, None)


def test_another_firm_sees_no_alert(watch: Watch, other_firm: Firm) -> None:
    user = watch.firm.user()
    for _ in range(8):
        watch.refuse(user)
    alert = next(iter(watch.look().values()))
    with other_firm.tx() as tx:
        assert security_alerts.list_security_alerts(tx) == ([], None)
        with pytest.raises(SecurityAlertNotFound):
            security_alerts.get_security_alert(tx, alert.id)
        with pytest.raises(SecurityAlertNotFound):
            security_alerts.contain(tx, alert.id, Containment.END_SESSIONS)


def test_what_is_old_is_history_and_no_alarm(watch: Watch) -> None:
    user = watch.firm.user()
    for _ in range(9):
        watch.refuse(user)
    watch.wait(hours=25)
    assert watch.look() == {}


def test_every_condition_is_checked_against_the_catalogue_and_documented() -> None:
    page = render()
    for rule in RULES:
        assert parse_condition(rule.condition, CATALOGUE).columns
        assert f"`{rule.id}`" in page
        assert rule.about in ("actor", "account", "origin")
    assert evaluate([]) == []
    assert evaluate([{}]) == []


def test_places_are_found_by_the_longest_prefix() -> None:
    places = read_places(["network,country,lat,lon", "10.0.0.0/8,PH,1,2", "10.1.0.0/16,GB,3,4", "2001:db8::/32,DE,5,6"])
    countries = {address: getattr(places.of(address), "country", None) for address in ("10.2.0.1", "10.1.0.1", "::1")}
    assert countries == {"10.2.0.1": "PH", "10.1.0.1": "GB", "::1": None}
    assert places.of("2001:db8::5") is not None
    assert places.of("::ffff:10.1.0.1") == places.of("10.1.0.1")
    assert places.of("nonsense") is None
    berlin, paris = (_place(*at) for at in ((52.52, 13.405), (48.8566, 2.3522)))
    assert distance_km(berlin, paris) == pytest.approx(878, abs=2)
    assert (network_of("203.0.113.9"), network_of("2001:db8:1::1"), network_of("x")) == (
        "203.0.0.0/16",
        "2001:db8::/32",
        "x",
    )


@pytest.mark.parametrize(
    "lines", [["a,b"], ["network,country,lat,lon", "x,PH,1,2"], ["network,country,lat,lon", "10.0.0.0/8,PH,91,2"]]
)
def test_a_broken_table_of_places_is_refused_with_its_line(lines: list[str]) -> None:
    with pytest.raises(InvalidInput, match="file of places"):
        read_places(lines)


def _place(lat: float, lon: float) -> Any:
    found = read_places(["network,country,lat,lon", f"10.0.0.0/8,XX,{lat},{lon}"]).of("10.0.0.1")
    assert found is not None
    return found
