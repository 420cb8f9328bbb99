"""Suspicious activity reports: from a case to a document with the fields of goAML, and the same to be printed.

goAML is what financial intelligence units of many countries take reports by. Names of fields are those of its schema;
codes that differ by country (fund types, modes of transfer) are left to whoever files the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from finer.decisions.types.alerts import Alert
from finer.decisions.types.cases import ActionState, Case, CaseAction, Typology
from finer.decisions.types.reports import ReportDocument, ReportDraft
from finer.kit.money import Money

REPORT_CODE = "STR"
_INDICATORS = {
    Typology.ACCOUNT_TAKEOVER: ["Account used by somebody other than its holder"],
    Typology.CARD: ["Card used without its holder"],
    Typology.LAUNDERING: ["Structuring below a reporting limit"],
    Typology.SCAM: ["Payment induced by deception"],
    Typology.GENERAL: [],
}
_ACTIONS = {
    "block_card": "Card blocked",
    "block_account": "Account blocked",
    "hold_payment": "Payment held",
    "release_payment": "Payment released",
    "contact_customer": "Customer contacted",
}


def first_draft(case: Case, alerts: Sequence[Alert], actions: Sequence[CaseAction]) -> ReportDraft:
    """What a case says by itself, for somebody to write on."""
    ordered = sorted(alerts, key=lambda one: one.occurred_at)
    span = f"{ordered[0].occurred_at:%Y-%m-%d} to {ordered[-1].occurred_at:%Y-%m-%d}" if ordered else "no time"
    reasons = dict.fromkeys(reason for one in ordered for reason in one.verdict.reasons)
    worth = Money(case.amount_usd_minor, "USD")
    summary = f"From {span} {len(ordered)} transactions of the subject were found suspicious, together {worth}."
    lines = [summary, *list(reasons)[:20]]
    done = [
        f"{_ACTIONS[one.kind.value]} on {one.asked_at:%Y-%m-%d %H:%M} UTC."
        for one in actions
        if one.state in {ActionState.ASKED, ActionState.DONE}
    ]
    return ReportDraft(reason="\n".join(lines), action="\n".join(done), indicators=_INDICATORS[case.typology])


def document(
    draft: ReportDraft, case: Case, alerts: Sequence[Alert], firm: Mapping[str, str], person: str, now: datetime
) -> ReportDocument:
    """The whole report, with what it names in clear; `firm` has name, slug and base_currency."""
    return {
        "rentity_name": firm["name"],
        "rentity_id": firm["slug"],
        "report_code": REPORT_CODE,
        "entity_reference": f"CASE-{case.number}",
        "submission_code": "E",
        "submission_date": now.isoformat(),
        "currency_code_local": firm["base_currency"],
        "reporting_person": {"name": person},
        "reason": draft.reason,
        "action": draft.action,
        "report_indicators": list(draft.indicators),
        "transaction": [_transaction(one) for one in sorted(alerts, key=lambda one: one.occurred_at)],
        "activity": {
            "report_parties": [
                {
                    "significance": "subject",
                    "client_number": case.customer_id,
                    "account": {"account": account},
                }
                for account in sorted({one.account_id or "" for one in alerts})
            ]
        },
    }


def _transaction(alert: Alert) -> dict[str, Any]:
    place = ", ".join(part for part in (alert.merchant_city, alert.merchant_country) if part)
    return {
        "transactionnumber": alert.event_id,
        "date_transaction": alert.occurred_at.isoformat(),
        "amount": str(alert.amount),
        "amount_usd": None if alert.amount_usd is None else str(alert.amount_usd),
        "transmode_comment": alert.channel,
        "transaction_location": place,
        "t_from_my_client": {
            "from_account": {"account": alert.account_id, "client_number": alert.customer_id},
            "card_last4": alert.card_last4,
            "device": alert.device_id,
        },
        "t_to": {"to_entity": {"name": alert.merchant_name}},
        "verdict": alert.state.value,
        "comments": " ".join(alert.verdict.reasons),
    }


def as_html(report: ReportDocument) -> str:
    """The same as a page to be printed. Every value is escaped: it comes from records and from people."""
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{_text(value)}</td>" for value in (
            one["date_transaction"], one["transactionnumber"], one["amount"],
            one["t_from_my_client"]["from_account"]["account"], one["t_to"]["to_entity"]["name"],
            one["transaction_location"], one["comments"],
        ))
        + "</tr>"
        for one in report["transaction"]
    )  # fmt: skip
    heads = "".join(f"<th>{name}</th>" for name in ("Date", "Number", "Amount", "Account", "To", "Place", "Why"))
    parties = "".join(
        f"<li>Customer {_text(one['client_number'])}, account {_text(one['account']['account'])}</li>"
        for one in report["activity"]["report_parties"]
    )
    indicators = "".join(f"<li>{_text(one)}</li>" for one in report["report_indicators"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Suspicious activity report {_text(report['entity_reference'])}</title>"
        "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse;width:100%}"
        "td,th{border:1px solid #999;padding:4px;text-align:left;vertical-align:top}p{white-space:pre-wrap}</style>"
        f"</head><body><h1>Suspicious activity report {_text(report['entity_reference'])}</h1>"
        f"<p>{_text(report['rentity_name'])} ({_text(report['rentity_id'])}), {_text(report['submission_date'])}, "
        f"reported by {_text(report['reporting_person']['name'])}</p>"
        f"<h2>Reason</h2><p>{_text(report['reason'])}</p><h2>Action taken</h2><p>{_text(report['action'])}</p>"
        f"<h2>Indicators</h2><ul>{indicators}</ul><h2>Subjects</h2><ul>{parties}</ul>"
        f"<h2>Transactions</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></body></html>"
    )


def _text(value: Any) -> str:
    return escape("" if value is None else str(value))
