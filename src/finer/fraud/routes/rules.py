"""HTTP of rules: what decides, drafts, prices, shadow, publication. Parse, call, answer."""

from __future__ import annotations

from datetime import timedelta

from litestar import Controller, delete, get, post, put

from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import RuleTotals
from finer.fraud.errors import RuleNotAcceptable
from finer.fraud.routes.documents import (
    NewRuleDraft,
    PriceBody,
    PricesBody,
    ProposedAct,
    RuleAssessment,
    RuleBody,
    RuleColumn,
    RuleDetail,
    RuleDraftBody,
    RuleList,
    RuleListWord,
    RuleReason,
    RuleVersionView,
    RuleVocabulary,
    ShadowBody,
    people_of_versions,
    read_text,
    show_version,
)
from finer.fraud.routes.summaries import summarise
from finer.fraud.service import brakes, rule_sets, rules, vocabulary
from finer.fraud.types import RuleVersion
from finer.identity.service import people, proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.conditions.errors import ConditionError
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_READ, _WRITE, _APPROVE = Permission.RULES_READ, Permission.RULES_WRITE, Permission.RULES_APPROVE


class RuleController(Controller):
    """The rules that decide on payments."""

    path = "/api/v1/rules"
    tags = ["Rules"]

    @get("/", opt={"permission": _READ}, sync_to_thread=True, summary="List rules")
    def list(self, tx: Tx) -> RuleList:
        """Every rule of the firm, what it did within a day, and how its alerts ended."""
        day = brakes.since(tx, timedelta(days=1))
        return RuleList(
            items=summarise(rules.list_versions(tx), day, _totals(tx)),
            rule_set=rule_sets.load(tx).version,
            decided=sum(one.hits for one in day if not one.rule),
            as_of=tx.now(),
        )

    @get("/vocabulary", opt={"permission": _READ}, sync_to_thread=True, summary="The words of rules")
    def words(self, tx: Tx) -> RuleVocabulary:
        """Columns, functions and lists that a condition can name, and how a reason can write a value."""
        return RuleVocabulary(
            columns=[
                RuleColumn(name=one.name, type=one.type, description=one.description, hashed=one.hashed)
                for one in vocabulary.columns()
            ],
            functions=vocabulary.functions(),
            lists=[RuleListWord(name=name, kind=kind, columns=columns) for name, kind, columns in vocabulary.lists(tx)],
            formats=vocabulary.formats(),
        )

    @post(
        "/validation", opt={"permission": _READ, "recorded": "nothing", "repeat": "It changes nothing."},
        sync_to_thread=True, status_code=200, summary="Look at a rule",
    )  # fmt: skip
    def validate(self, tx: Tx, data: RuleBody) -> RuleAssessment:
        """How a rule and its reason read in plain language and what it costs, or what is wrong and where."""
        try:
            condition, reading, steps, example = vocabulary.assess(tx, read_text(data))
        except ConditionError as error:
            return RuleAssessment(
                usable=False, problem=error.message, hint=error.hint, position=error.position, line=error.line,
                column=error.column,
            )  # fmt: skip
        except RuleNotAcceptable as error:
            return RuleAssessment(usable=False, problem=error.detail)
        return RuleAssessment(
            usable=True, reading=reading, example=example, columns=sorted(condition.columns),
            lists=sorted(condition.lists), steps=steps, steps_max=vocabulary.STEPS_MAX,
        )  # fmt: skip

    @get("/{rule:str}", opt={"permission": _READ}, sync_to_thread=True, summary="One rule")
    def detail(self, tx: Tx, rule: str) -> RuleDetail:
        """A rule with all its versions, and what it did hour by hour within a week."""
        versions = rules.list_versions(tx, rule)
        names = people.names(tx, people_of_versions(*versions))
        totals = _totals(tx).get(rule, RuleTotals(rule, 0, 0, 0))
        return RuleDetail(
            rule=rule,
            versions=[show_version(one, names) for one in versions],
            hours=brakes.hours(tx, rule, timedelta(days=7)),
            confirmed=totals.confirmed,
            dismissed=totals.dismissed,
            open=totals.open,
            as_of=tx.now(),
        )


class RuleVersionController(Controller):
    """Versions of rules on their way."""

    path = "/api/v1/rule-versions"
    tags = ["Rules"]

    @post("/", opt={"permission": _WRITE}, sync_to_thread=True, summary="Begin a draft of a rule")
    def create(self, tx: Tx, data: NewRuleDraft) -> RuleVersionView:
        """A draft of a rule, new or known. A wrong condition is told with the place of its mistake."""
        return _show(tx, rules.create(tx, data.rule, read_text(data.text), data.note))

    @get("/{version_id:str}", opt={"permission": _READ}, sync_to_thread=True, summary="A version of a rule")
    def detail(self, tx: Tx, version_id: str) -> RuleVersionView:
        """A version with what its backtest found so far."""
        return _show(tx, rules.get_version(tx, read_id("rlv", version_id)))

    @put("/{version_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, summary="Change a draft of a rule")
    def change(self, tx: Tx, version_id: str, data: RuleDraftBody) -> RuleVersionView:
        """Another text for a draft; it has to be priced again. Refused when somebody else changed it meanwhile."""
        identifier = read_id("rlv", version_id)
        return _show(tx, rules.change(tx, identifier, read_text(data.text), data.note, data.revision))

    @delete("/{version_id:str}", opt={"permission": _WRITE}, sync_to_thread=True, summary="Discard a draft of a rule")
    def discard(self, tx: Tx, version_id: str, revision: int) -> None:
        """Delete a draft."""
        rules.discard(tx, read_id("rlv", version_id), revision)

    @post(
        "/{version_id:str}/price", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Price a rule",
    )  # fmt: skip
    def price(self, tx: Tx, version_id: str, data: PriceBody) -> RuleVersionView:
        """Hold a rule to the payments of the last days, as a job. The version shows how far it has come."""
        found = rules.begin_price(tx, read_id("rlv", version_id), data.revision, data.days, data.capacity_per_day)
        return _show(tx, found)

    @post("/prices", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202, summary="Price several rules")
    def price_several(self, tx: Tx, data: PricesBody) -> list[RuleVersionView]:
        """Hold several rules to the payments of the last days by one job, which reads the lake once for all of them."""
        wanted = [(read_id("rlv", one.id), one.revision) for one in data.versions]
        return [_show(tx, one) for one in rules.begin_prices(tx, wanted, data.days, data.capacity_per_day)]

    @post(
        "/{version_id:str}/price/cancellation",
        opt={"permission": _WRITE},
        sync_to_thread=True,
        status_code=200,
        summary="Stop pricing a rule",
    )
    def cancel_price(self, tx: Tx, version_id: str) -> RuleVersionView:
        """The backtest under way stops; what it found so far is shown as that."""
        return _show(tx, rules.cancel_price(tx, read_id("rlv", version_id)))

    @post(
        "/{version_id:str}/shadow", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Try a rule on live payments",
    )  # fmt: skip
    def shadow(self, tx: Tx, version_id: str, data: ShadowBody) -> RuleVersionView:
        """Let a draft be evaluated and counted on live payments; it decides nothing."""
        return _show(tx, rules.to_shadow(tx, read_id("rlv", version_id), data.revision, confirmed=data.confirmed))

    @post(
        "/{version_id:str}/publication", opt={"permission": _WRITE}, sync_to_thread=True, status_code=202,
        summary="Propose a rule",
    )  # fmt: skip
    def publish(
        self, tx: Tx, version_id: str, data: RuleReason, proposal_kinds: Kinds, settings: Settings
    ) -> ProposedAct:
        """Ask for a rule to decide. Somebody else approves it, on the page Approvals."""
        payload = rules.publication(rules.get_version(tx, read_id("rlv", version_id)))
        made = proposals.act_or_propose(tx, settings, proposal_kinds, rules.PUBLISH, payload, data.reason)
        return ProposedAct(proposal=None if made is None else show_id("pro", made.id), done=made is None)

    @post(
        "/{version_id:str}/stop", opt={"permission": _WRITE, "step_up": True}, sync_to_thread=True, status_code=200,
        summary="Stop a rule",
    )  # fmt: skip
    def stop(self, tx: Tx, version_id: str, data: RuleReason) -> RuleVersionView:
        """Let a live rule go on in shadow at once: it blocks and alerts no more."""
        return _show(tx, rules.stop(tx, read_id("rlv", version_id), data.reason))

    @post(
        "/{version_id:str}/restoration", opt={"permission": _APPROVE, "step_up": True}, sync_to_thread=True,
        status_code=200, summary="Restore a rule",
    )  # fmt: skip
    def restore(self, tx: Tx, version_id: str, data: RuleReason) -> RuleVersionView:
        """Put a rule that the brake stopped in force again, as it was approved."""
        return _show(tx, rules.restore(tx, read_id("rlv", version_id), data.reason))

    @post(
        "/{version_id:str}/retirement", opt={"permission": _WRITE}, sync_to_thread=True, status_code=200,
        summary="Retire a rule",
    )  # fmt: skip
    def retire(self, tx: Tx, version_id: str, data: RuleReason) -> RuleVersionView:
        """Try a rule in shadow no longer."""
        return _show(tx, rules.retire(tx, read_id("rlv", version_id), data.reason))


def _show(tx: Tx, version: RuleVersion) -> RuleVersionView:
    return show_version(version, people.names(tx, people_of_versions(version)))


def _totals(tx: Tx) -> dict[str, RuleTotals]:
    return {one.rule: one for one in decisions.summarise(tx).by_rule}
