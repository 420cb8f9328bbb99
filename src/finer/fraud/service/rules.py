"""Rules of a firm: written as a draft, tried in shadow, put in force by a second person, stopped, restored, retired."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from finer.fraud.errors import RuleChanged, RuleNotAcceptable, RuleNotFound
from finer.fraud.rules import drafts
from finer.fraud.rules.drafts import EVERYTHING_SHARE, NAME, NOTE_MAX, US_PER_EVENT_MAX
from finer.fraud.rules.pack import RULES
from finer.fraud.rules.rule_set import OWN_RULES_MAX
from finer.fraud.service.rule_sets import begin_change, feature_types, first_version, list_pins, renew
from finer.fraud.store.rules import RuleStore
from finer.fraud.types import Price, RuleState, RuleText, RuleVersion
from finer.identity.service.audit import record_audit
from finer.kit import runs
from finer.kit.conditions.condition import Condition
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.moments import EPOCH
from finer.kit.tx import Tx
from finer.notifications import service as notifications

PUBLISH = "rules:publish"
PRICE_JOB = "price_rule"
PRICED = timedelta(days=30)
CAPACITY_PER_DAY = 100
PRICED_AT_ONCE_MAX = 50
_DRAFTS_MAX = 100


def list_versions(tx: Tx, rule: str | None = None) -> list[RuleVersion]:
    """Every version, in the order of the rules, the newest of each first. Raises RuleNotFound for an unknown rule.

    A firm that has written none has the built-in rules, each in its first version.
    """
    store = RuleStore(tx)
    found = store.versions(rule)
    if not found and not store.is_seeded():
        found = [first_version(one, EPOCH) for one in RULES if rule in (None, one.id)]
    if rule is not None and not found:
        raise RuleNotFound(f"There is no rule {rule[:80]!r}. GET /api/v1/rules lists them.")
    return found


def get_version(tx: Tx, identifier: uuid.UUID) -> RuleVersion:
    """One version. Raises RuleNotFound."""
    store = RuleStore(tx)
    found = store.find(identifier)
    if found is None and not store.is_seeded():
        found = next((one for one in list_versions(tx) if one.id == identifier), None)
    if found is None:
        raise RuleNotFound(f"There is no version {show_id('rlv', identifier)} of a rule.")
    return found


def check(tx: Tx, text: RuleText) -> Condition:
    """The condition of a rule, with all that is said of it checked. Raises ConditionError, RuleNotAcceptable."""
    return drafts.compile_rule(drafts.tidy(text), feature_types(), list_pins(tx))


def create(tx: Tx, rule: str, text: RuleText, note: str) -> RuleVersion:
    """A new draft: the next version of a rule, or the first of a new one.

    Raises ConditionError, RuleNotAcceptable, RuleChanged when the rule has a draft already.
    """
    store = begin_change(tx)
    if not NAME.fullmatch(rule):
        raise RuleNotAcceptable("A rule is named in 2 to 40 small letters, digits and underscores: large_transfer.")
    open_drafts = store.versions(states=[RuleState.DRAFT])
    if any(one.rule == rule for one in open_drafts):
        raise RuleChanged(f"The rule {rule} has a draft already. Change that one, or discard it.")
    if len(open_drafts) >= _DRAFTS_MAX:
        raise RuleNotAcceptable(f"A firm has at most {_DRAFTS_MAX} drafts. Discard one that nobody needs.")
    check(tx, text)
    number, position = store.next_place(rule)
    draft = RuleVersion(
        id=new_id(), rule=rule, version=number, state=RuleState.DRAFT, text=drafts.tidy(text), revision=1,
        note=_note(note), author=tx.actor.id, created_at=tx.now(), updated_at=tx.now(),
    )  # fmt: skip
    store.add(draft, position)
    _record(tx, "rules:draft", draft, {})
    return draft


def change(tx: Tx, identifier: uuid.UUID, text: RuleText, note: str, revision: int) -> RuleVersion:
    """Another text for a draft. Raises ConditionError, RuleNotAcceptable, RuleChanged for another revision."""
    store = begin_change(tx)
    draft = _in_state(tx, identifier, RuleState.DRAFT, revision)
    check(tx, text)
    store.change(
        identifier, text=drafts.tidy(text), note=_note(note), author=tx.actor.id, revision=revision + 1,
        updated_at=tx.now(), price=None,
    )  # fmt: skip
    _record(tx, "rules:draft", draft, {"revision": revision + 1})
    return get_version(tx, identifier)


def discard(tx: Tx, identifier: uuid.UUID, revision: int) -> None:
    """Delete a draft. Raises RuleNotFound, RuleChanged."""
    store = begin_change(tx)
    draft = _in_state(tx, identifier, RuleState.DRAFT, revision)
    store.delete_draft(identifier)
    _record(tx, "rules:discard", draft, {"revision": revision})


def begin_price(tx: Tx, identifier: uuid.UUID, revision: int, days: int, capacity_per_day: int) -> RuleVersion:
    """Ask for a price: a job holds the rule to the payments of the last days. Raises RuleChanged."""
    return begin_prices(tx, [(identifier, revision)], days, capacity_per_day)[0]


def begin_prices(
    tx: Tx, wanted: Sequence[tuple[uuid.UUID, int]], days: int, capacity_per_day: int
) -> list[RuleVersion]:
    """Ask for the prices of several versions (id, revision) by one reading of the payments of the last days.

    Raises RuleNotAcceptable for none, too many or the same one twice, RuleNotFound, RuleChanged.
    """
    store = begin_change(tx)
    if not 1 <= len(wanted) <= PRICED_AT_ONCE_MAX or len({one for one, _ in wanted}) < len(wanted):
        raise RuleNotAcceptable(f"1 to {PRICED_AT_ONCE_MAX} different versions are priced at a time.")
    for identifier, revision in wanted:
        version = get_version(tx, identifier)
        if version.revision != revision or version.state is RuleState.RETIRED:
            raise _changed(version, revision)
    run = runs.start(tx, PRICE_JOB, arguments={"versions": [[str(one), revision] for one, revision in wanted]})
    since = tx.now() - timedelta(days=days)
    for identifier, revision in wanted:
        price = Price(
            state="running", revision=revision, since=since, until=tx.now(), as_of=tx.now(),
            capacity_per_day=capacity_per_day, run="" if run is None else show_id("run", run),
        )  # fmt: skip
        store.change(identifier, price=price)
    return [get_version(tx, identifier) for identifier, _ in wanted]


def being_priced(tx: Tx, wanted: Sequence[tuple[uuid.UUID, int]], run: str) -> list[RuleVersion]:
    """Those of some versions (id, revision) that a run still has to price; others have another text by now."""
    store, found = RuleStore(tx), []
    for identifier, revision in wanted:
        version = store.find(identifier)
        if version is not None and version.price is not None:
            price = version.price
            if (price.state, price.revision, version.revision) == ("running", revision, revision) and price.run == run:
                found.append(version)
    return found


def cancel_price(tx: Tx, identifier: uuid.UUID) -> RuleVersion:
    """Stop pricing a rule and what is priced with it: at once, or when the job next looks.

    Raises RuleChanged when none is under way.
    """
    store = begin_change(tx)
    version = get_version(tx, identifier)
    price = version.price
    if price is None or price.state != "running":
        raise RuleChanged(f"{version.rule} {version.version} is not being priced.")
    run = runs.ask_to_stop(tx, read_id("run", price.run)) if price.run else None
    if run is None or run.state is runs.RunState.CANCELLED:
        for one in store.versions() if price.run else [version]:
            if one.price is not None and one.price.state == "running" and one.price.run == price.run:
                store.change(one.id, price=msgspec.structs.replace(one.price, state="cancelled"))
    return get_version(tx, identifier)


def note_price(tx: Tx, identifier: uuid.UUID, price: Price) -> bool:
    """Keep what a backtest has found so far; False when the rule is another one by now, and it is in vain."""
    store = RuleStore(tx)
    version = store.find(identifier)
    if version is None or version.revision != price.revision or version.price is None:
        return False
    if version.price.run != price.run:
        return False
    store.change(identifier, price=price)
    return True


def to_shadow(tx: Tx, identifier: uuid.UUID, revision: int, *, confirmed: bool) -> RuleVersion:
    """Try a draft on live payments: it is evaluated and counted, and decides nothing. Its author may do that alone.

    Raises RuleNotAcceptable for a draft that was not priced, or holds for very many payments without `confirmed`.
    """
    store = begin_change(tx)
    draft = _in_state(tx, identifier, RuleState.DRAFT, revision)
    _check_price(draft, confirmed=confirmed)
    check(tx, draft.text)
    waiting = store.versions(states=[RuleState.SHADOW])
    if len(waiting) >= OWN_RULES_MAX:
        raise RuleNotAcceptable(f"At most {OWN_RULES_MAX} rules are tried at a time. Retire one of them.")
    for one in waiting:
        if one.rule == draft.rule:
            store.change(one.id, state=RuleState.RETIRED, retired_at=tx.now(), updated_at=tx.now())
    store.change(identifier, state=RuleState.SHADOW, shadow_at=tx.now(), updated_at=tx.now())
    renew(tx)
    _record(tx, "rules:shadow", draft, {"confirmed": confirmed})
    return get_version(tx, identifier)


def publication(version: RuleVersion) -> dict[str, Any]:
    """The payload of the proposal to put a rule in force."""
    text = msgspec.json.encode(version.text, order="sorted")
    return {
        "version": show_id("rlv", version.id),
        "rule": f"{version.rule}/{version.version}",
        "text_sha256": hashlib.sha256(text).hexdigest(),
    }


def publish_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that a publication starts from. Raises RuleNotFound, RuleChanged, RuleNotAcceptable."""
    version = proposed(tx, payload)
    _check_price(version, confirmed=True)
    check(tx, version.text)
    live = live_version(tx, version.rule)
    others = RuleStore(tx).versions(states=[RuleState.LIVE])
    if live is None and len(others) >= OWN_RULES_MAX:
        raise RuleNotAcceptable(f"A firm has at most {OWN_RULES_MAX} live rules. Stop one of them.")
    return f"{'' if live is None else live.version}:{payload['text_sha256']}"


def execute_publication(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Put a rule in force: from the next batch on it decides. Raises as `publish_version`."""
    store = begin_change(tx)
    publish_version(tx, payload)
    version = proposed(tx, payload)
    live = live_version(tx, version.rule)
    if live is not None:
        store.change(live.id, state=RuleState.RETIRED, retired_at=tx.now(), updated_at=tx.now())
    store.change(
        version.id, state=RuleState.LIVE, live_at=tx.now(), approved_by=tx.actor.id, updated_at=tx.now(),
        demoted_at=None, demotion="",
    )  # fmt: skip
    _record(tx, PUBLISH, version, {"rule_set": renew(tx)})
    return {"rule": version.rule, "version": version.version}


def proposed(tx: Tx, payload: Mapping[str, Any]) -> RuleVersion:
    """The version that a proposal would put in force. Raises RuleNotFound, RuleChanged."""
    version = get_version(tx, read_id("rlv", str(payload["version"])))
    if version.state is not RuleState.SHADOW:
        raise RuleChanged(f"{version.rule} {version.version} is {version.state}; a rule goes live out of shadow.")
    if publication(version) != dict(payload):
        raise RuleChanged("The rule has another text than the one that was proposed. Propose it again.")
    return version


def live_version(tx: Tx, rule: str) -> RuleVersion | None:
    """The version of a rule that decides, if one does."""
    return next(iter(RuleStore(tx).versions(rule, [RuleState.LIVE])), None)


def stop(tx: Tx, identifier: uuid.UUID, reason: str) -> RuleVersion:
    """Let a live rule go on in shadow, at once and by one person: a rule that does harm cannot wait.

    Raises RuleChanged for a rule that is not live. Everybody who works on rules is told.
    """
    store = begin_change(tx)
    version = _in_state(tx, identifier, RuleState.LIVE)
    said = _reason(reason)
    for one in store.versions(version.rule, [RuleState.SHADOW]):
        store.change(one.id, state=RuleState.RETIRED, retired_at=tx.now(), updated_at=tx.now())
    store.change(version.id, state=RuleState.SHADOW, shadow_at=tx.now(), updated_at=tx.now())
    renew(tx)
    _record(tx, "rules:stop", version, {"reason": said})
    return get_version(tx, version.id)


def restore(tx: Tx, identifier: uuid.UUID, reason: str) -> RuleVersion:
    """Put a rule that the brake stopped in force again as it was approved. Its cap counts from now on.

    Raises RuleChanged for a rule that the brake did not stop, or that another version has replaced.
    """
    store = begin_change(tx)
    version = get_version(tx, identifier)
    if version.demoted_at is None or version.state not in (RuleState.SHADOW, RuleState.RETIRED):
        raise RuleChanged(f"The brake did not stop {version.rule} {version.version}: it is {version.state}.")
    if live_version(tx, version.rule) is not None:
        raise RuleChanged(f"Another version of {version.rule} is live. Propose this one instead.")
    said = _reason(reason)
    check(tx, version.text)
    store.change(
        identifier, state=RuleState.LIVE, live_at=tx.now(), retired_at=None, updated_at=tx.now(), demoted_at=None,
        demotion="",
    )  # fmt: skip
    renew(tx)
    notifications.settle(tx, f"rules.brake:{version.rule}")
    _record(tx, "rules:restore", version, {"reason": said})
    return get_version(tx, identifier)


def retire(tx: Tx, identifier: uuid.UUID, reason: str) -> RuleVersion:
    """Try a rule no longer. A live one has to be stopped first. Raises RuleChanged."""
    store = begin_change(tx)
    version = _in_state(tx, identifier, RuleState.SHADOW)
    said = _reason(reason)
    store.change(
        identifier, state=RuleState.RETIRED, retired_at=tx.now(), updated_at=tx.now(), demoted_at=None, demotion=""
    )
    renew(tx)
    notifications.settle(tx, f"rules.brake:{version.rule}")
    _record(tx, "rules:retire", version, {"reason": said})
    return get_version(tx, identifier)


def _in_state(tx: Tx, identifier: uuid.UUID, state: RuleState, revision: int | None = None) -> RuleVersion:
    version = get_version(tx, identifier)
    if version.state is not state:
        raise RuleChanged(f"{version.rule} {version.version} is {version.state}, not {state}.")
    if revision is not None and version.revision != revision:
        raise _changed(version, revision)
    return version


def _changed(version: RuleVersion, revision: int) -> RuleChanged:
    return RuleChanged(
        f"Somebody has changed this rule: it is {version.state} at revision {version.revision}, you had {revision}. "
        "Load it again.",
        revision=version.revision,
    )


def _check_price(version: RuleVersion, *, confirmed: bool) -> None:
    price = version.price
    if price is None or price.state != "done" or price.revision != version.revision:
        raise RuleNotAcceptable("Price this rule first: what it would have done is what others judge it by.")
    if price.us_per_event > US_PER_EVENT_MAX:
        raise RuleNotAcceptable(
            f"This rule takes {price.us_per_event:.1f} microseconds for a payment; {US_PER_EVENT_MAX:g} is the limit. "
            "Look at fewer texts in it."
        )
    if price.hits > EVERYTHING_SHARE * price.events and not confirmed:
        raise RuleNotAcceptable(
            f"This rule holds for {price.hits / price.events:.0%} of all payments. Confirm that it is meant so.",
            share=price.hits / price.events,
        )


def _note(note: str) -> str:
    trimmed = " ".join(note.split())
    if len(trimmed) > NOTE_MAX:
        raise RuleNotAcceptable(f"A note has at most {NOTE_MAX} characters.")
    return trimmed


def _reason(reason: str) -> str:
    trimmed = " ".join(reason.split())
    if not 3 <= len(trimmed) <= NOTE_MAX:
        raise RuleNotAcceptable(f"Say why, in 3 to {NOTE_MAX} characters: the audit trail keeps it.")
    return trimmed


def _record(tx: Tx, action: str, version: RuleVersion, detail: dict[str, Any]) -> None:
    record_audit(tx, action, show_id("rlv", version.id), {"rule": version.rule, "version": version.version} | detail)
