"""Alerts on metrics by webhook: signed, in order, outside only, and what became of each is known."""

from __future__ import annotations

import base64
import hmac
import threading
import uuid
from hashlib import sha256

import msgspec
import pytest

from finer.dashboards.service import alerts
from finer.identity.errors import PermissionMissing
from finer.identity.types.access import Role
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.runs import RunState
from finer.notifications import service as notifications
from finer.notifications.errors import HookNameTaken, HookNotFound, HookRefused
from finer.notifications.types import DeliveryState, Hook
from tests.dashboards.tower import Tower
from tests.identity.conftest import clock, clocked, firm, settings
from tests.support.clocks import on_clock
from tests.support.identity import Firm
from tests.support.receivers import Handler, serving

__all__ = ["clock", "clocked", "firm", "settings"]


@pytest.fixture
def tower(firm: Firm, worker_database: Database, clock: FixedClock) -> Tower:
    return Tower(firm, on_clock(worker_database, clock), clock)


def _hook(tower: Tower, url: str = "https://hooks.example/x", allowed: str = "", name: str = "") -> tuple[Hook, str]:
    tower.firm = Firm(
        tower.firm.database, msgspec.structs.replace(tower.firm.settings, outbound_hosts=allowed), tower.firm.tenant
    )
    with tower.tx(Role.ADMINISTRATOR) as tx:
        return notifications.add_hook(tx, tower.firm.settings, name or url, url)


def _last(tower: Tower, hook: uuid.UUID) -> tuple[DeliveryState, str]:
    with tower.tx(Role.ADMINISTRATOR) as tx:
        last = notifications.get_hook(tx, hook).last
    assert last is not None
    return last.state, last.problem


def test_a_webhook_gets_signed_documents_in_their_order(tower: Tower) -> None:
    said: list[tuple[dict[str, str], bytes]] = []

    def take(handler: Handler) -> None:
        said.append((dict(handler.headers), handler.said()))
        handler.say(200)

    with serving(x=take) as (host, _):
        hook, secret = _hook(tower, f"http://{host}/x", host)
        tower.watch("value < 3", hook_id=hook.id, severity="critical")
        tower.look(1)
        assert _last(tower, hook.id) == (DeliveryState.WAITING, "")
        assert tower.run("call_hook").counts == {"calls": 1}
        tower.placed(5)
        tower.look(1)
        tower.run("call_hook")
        assert _last(tower, hook.id) == (DeliveryState.SENT, "")
    headers, body = said[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    good = base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), signed, sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{good}"
    found = [msgspec.json.decode(body)["alerts"][0] for _, body in said]
    assert [(one["state"], one["value"], one["severity"]) for one in found] == [
        ("firing", 0, "critical"), ("settled", 5, "critical"),
    ]  # fmt: skip
    assert found[0]["id"] == found[1]["id"]


def test_an_alert_that_is_deleted_while_it_fires_is_settled_outside(tower: Tower) -> None:
    hook, _ = _hook(tower)
    made = tower.watch("value < 3", hook_id=hook.id)
    tower.look(1)
    with tower.tx() as tx:
        alerts.delete_alert(tx, made, "https://finer.example")
    first, last = tower.deliveries()
    with tower.firm.tx() as tx:
        call = notifications.hook_to_call(tx, last)
        assert call is not None
        assert msgspec.json.decode(call.body)["alerts"][0]["state"] == "settled"
        notifications.delivered(tx, first)
        assert notifications.hook_to_call(tx, first) is None


def test_e03_a_receiver_that_fails_is_tried_again_and_holds_up_no_other(tower: Tower) -> None:
    with serving(bad=lambda handler: handler.say(500), good=lambda handler: handler.say(204)) as (host, seen):
        bad, _ = _hook(tower, f"http://{host}/bad", host)
        good, _ = _hook(tower, f"http://{host}/good", host)
        with tower.tx(Role.ADMINISTRATOR) as tx:
            notifications.try_hook(tx, bad.id)
            notifications.try_hook(tx, good.id)
            rows = tx.connection.exec_driver_sql(
                "select arguments ->> 'lane' from kit_job_runs where job = 'call_hook'"
            )
            assert sorted(rows.scalars()) == sorted([str(bad.id), str(good.id)])
        for _ in range(2):
            tower.run("call_hook")
        # What is wrong is told while it is tried again.
        assert _last(tower, bad.id) == (DeliveryState.WAITING, "The webhook answered with the status 500.")
        for _ in range(3):
            run = tower.run("call_hook")
        assert (seen.count("/bad"), seen.count("/good")) == (5, 1)
    assert _last(tower, good.id)[0] is DeliveryState.SENT
    assert _last(tower, bad.id) == (DeliveryState.FAILED, "The webhook answered with the status 500.")
    assert run.state is RunState.FAILED


def test_a_webhook_that_is_mended_says_nothing_of_what_was_wrong(tower: Tower) -> None:
    statuses = iter([503, 204])
    with serving(x=lambda handler: handler.say(next(statuses))) as (host, _):
        hook, _ = _hook(tower, f"http://{host}/x", host)
        with tower.tx(Role.ADMINISTRATOR) as tx:
            notifications.try_hook(tx, hook.id)
        tower.run("call_hook")
        assert _last(tower, hook.id) == (DeliveryState.WAITING, "The webhook answered with the status 503.")
        tower.run("call_hook")
    assert _last(tower, hook.id) == (DeliveryState.SENT, "")


def test_e01_a_webhook_that_leads_inside_or_on_to_another_address_gets_nothing(tower: Tower) -> None:
    with serving(x=lambda handler: handler.say(307, Location="/y"), y=lambda handler: handler.say(200)) as (host, seen):
        hook, _ = _hook(tower, f"http://{host}/x", host)
        with tower.tx(Role.ADMINISTRATOR) as tx:
            notifications.try_hook(tx, hook.id)
        assert "redirect" in tower.run("call_hook").error
        assert seen == ["/x"]
    # A name is looked up when it is called, not only when it is added.
    inside, _ = _hook(tower, "https://localhost/x")
    with tower.tx(Role.ADMINISTRATOR) as tx:
        notifications.try_hook(tx, inside.id)
    assert "inside" in tower.run("call_hook").error


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/x", "https://u:p@hooks.example", "https://hooks.example:22/", "x", "file:///etc/passwd"],
)
def test_e01_a_webhook_leads_outside_by_https_only(tower: Tower, url: str) -> None:
    with pytest.raises(HookRefused):
        _hook(tower, url)


def test_webhooks_of_a_firm_have_names_of_their_own(tower: Tower) -> None:
    hook, _ = _hook(tower, name="Pager")
    with tower.tx(Role.ADMINISTRATOR) as tx:
        for name in ("Pager", " pager "):
            with pytest.raises(HookNameTaken, match="There is a webhook 'Pager' already"):
                notifications.add_hook(tx, tower.firm.settings, name, "https://hooks.example/y")
        notifications.remove_hook(tx, hook.id)
        notifications.add_hook(tx, tower.firm.settings, " pager ", "https://hooks.example/y")
        assert [one.name for one in notifications.list_hooks(tx)] == ["pager"]
    # Two that are added at one moment.
    answers: list[str] = []

    def add() -> None:
        try:
            with tower.tx(Role.ADMINISTRATOR) as tx:
                notifications.add_hook(tx, tower.firm.settings, "Desk", "https://hooks.example/z")
            answers.append("added")
        except HookNameTaken:
            answers.append("taken")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["added", "taken", "taken", "taken"]


def test_webhooks_are_added_by_administrators_and_chosen_by_others(tower: Tower) -> None:
    with tower.tx() as tx, pytest.raises(PermissionMissing):
        notifications.add_hook(tx, tower.firm.settings, "Mine", "https://hooks.example/x")
    with pytest.raises(HookNotFound):
        tower.watch(hook_id=uuid.uuid4())
    hook, _ = _hook(tower)
    with tower.tx() as tx, pytest.raises(PermissionMissing):
        notifications.try_hook(tx, hook.id)
    made = tower.watch("value < 3", hook_id=hook.id)
    with tower.tx(Role.ADMINISTRATOR) as tx:
        notifications.remove_hook(tx, hook.id)
    tower.look(1)
    assert tower.run("call_hook").counts == {"calls": 0}
    with tower.firm.tx() as tx:
        gone = notifications.get_delivery(tx, tower.deliveries()[-1])
    assert gone is not None
    assert (gone.state, gone.problem) == (DeliveryState.FAILED, "The webhook was taken away.")
    # What uses it can still be changed, and goes by it no more once another is chosen.
    found = tower.get(made)
    with tower.tx() as tx:
        paused = msgspec.structs.replace(found.alert, active=False)
        assert not alerts.change_alert(tx, made, found.version, paused, "https://finer.example").alert.active
