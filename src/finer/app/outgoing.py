"""The work of what leaves Finer by itself: digests, alerts on metrics, e-mail and webhooks."""

from __future__ import annotations

import uuid

import structlog

from finer.app.job_types import Ground
from finer.dashboards.service import alerts, digests
from finer.kit.actors import SYSTEM
from finer.kit.errors import FinerError, InvalidInput
from finer.kit.mail import Mailer
from finer.kit.outbound import Outbound, OutboundRefused
from finer.kit.runs import Counts, JobRun, Run
from finer.kit.tx import Tx
from finer.notifications import service as notifications

_log = structlog.get_logger(__name__)


class SomeNotLookedAt(FinerError):
    """The alerts of some people could not be looked at; those of all others were."""

    slug = "alerts-not-looked-at"


def send_digests(ground: Ground, run: Run) -> Counts:
    """Send what is due, each as its reader."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        due = digests.take_due(tx)
    sent = 0
    for digest, reader in due:
        with ground.database.transaction(run.tenant, reader) as tx:
            sent += digests.send(tx, ground.settings, digest)
    return {"digests": sent}


def look_at_metrics(ground: Ground, run: Run) -> Counts:
    """Look at the alerts of everybody who has some, each as their owner; trouble with one person's is no other's."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        people = alerts.due(tx, ground.settings.web_url)
    looked = told = failed = 0
    for who in people:
        try:
            with ground.database.transaction(run.tenant, who) as tx:
                found, said = alerts.look_at_own(tx, ground.settings.web_url)
        except Exception:  # noqa: BLE001 - whatever is wrong with one person's alerts, the others are looked at
            _log.exception("the alerts of somebody could not be looked at", person=who.id)
            failed += 1
            continue
        looked, told = looked + found, told + said
    if failed:
        raise SomeNotLookedAt(
            f"The alerts on metrics of {failed} of {len(people)} people could not be looked at. The log says why; they "
            "are looked at again in a minute."
        )
    return {"alerts": looked, "told": told}


def send_mail(ground: Ground, run: Run) -> Counts:
    """Hand one message to the relay."""
    if "delivery" not in run.arguments:
        return {"mails": 0}  # started by hand: what has something to say asks for it
    identifier = uuid.UUID(run.arguments["delivery"])
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        mail = notifications.mail_to_send(tx, identifier)
    if mail is None:
        return {"mails": 0}
    mailer = Mailer.of(ground.settings)
    if mailer is None:
        raise InvalidInput("No relay for e-mail is set. An operator sets FINER_MAIL_URL and FINER_MAIL_FROM.")
    mailer.send(mail)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        notifications.delivered(tx, identifier)
    return {"mails": 1}


def call_hook(ground: Ground, run: Run) -> Counts:
    """Send one document to the address outside that it is for."""
    if "delivery" not in run.arguments:
        return {"calls": 0}  # started by hand: what has something to say asks for it
    identifier = uuid.UUID(run.arguments["delivery"])
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        call = notifications.hook_to_call(tx, identifier)
    if call is None:
        return {"calls": 0}
    try:
        answer = Outbound.of(ground.settings).post_json(call.url, call.body, headers=call.headers)
        if answer.status >= 300:
            raise OutboundRefused(f"The webhook answered with the status {answer.status}.")
    except OutboundRefused as error:
        # Whoever tries a webhook sees at once what is wrong with it, and not after forty minutes of trying again.
        with ground.database.transaction(run.tenant, SYSTEM) as tx:
            notifications.held_up(tx, identifier, error.detail)
        raise
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        notifications.delivered(tx, identifier)
    return {"calls": 1}


def drop_delivery(tx: Tx, run: JobRun, says: str) -> None:
    """Note that a message will not be sent."""
    if "delivery" in run.arguments:
        notifications.dropped(tx, uuid.UUID(run.arguments["delivery"]), says or "Somebody stopped it.")
