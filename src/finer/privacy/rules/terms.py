"""Terms of the laws, as duties of the design and not as legal advice: how long a request or a notification may take.

GDPR: Regulation (EU) 2016/679, articles 12(3) and 33. Singapore: Personal Data Protection Act 2012, section 26D, and
Regulations 2021. Philippines: Data Privacy Act 2012, NPC Circular 16-03. Thailand: PDPA B.E. 2562, sections 30 and 37.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from finer.privacy.types import Clock, Law

NAMES = {Law.GDPR: "GDPR", Law.SINGAPORE: "Singapore", Law.PHILIPPINES: "Philippines", Law.THAILAND: "Thailand"}
_SINGAPORE = ZoneInfo("Asia/Singapore")
_72_H = timedelta(hours=72)


def request_due(law: Law, received_at: datetime, *, extended: bool) -> datetime:
    """Until when a person has to be answered. GDPR: one month, and two more for a reason; elsewhere thirty days."""
    if law is Law.GDPR:
        return add_months(received_at, 3 if extended else 1)
    return received_at + timedelta(days=60 if extended else 30)


def add_months(at: datetime, months: int) -> datetime:
    """The same day of a later month; its last day where it has no such day (Regulation 1182/71, article 3)."""
    total = at.month - 1 + months
    year, month = at.year + total // 12, total % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def clock(
    law: Law, aware_at: datetime, assessed_at: datetime | None, notified_at: datetime | None, reason: str
) -> Clock:
    """The term of one authority. `aware_at`: when the firm knew; `assessed_at`: when it found the breach notifiable."""
    due: datetime | None = aware_at + _72_H
    says = "72 hours after the firm became aware"
    if law is Law.SINGAPORE:
        due, says = None, "3 calendar days after the breach is assessed to be notifiable"
        if assessed_at is not None:
            day = assessed_at.astimezone(_SINGAPORE).date() + timedelta(days=3)
            due = datetime.combine(day, time(23, 59, 59), _SINGAPORE).astimezone(UTC)
    elif law is Law.THAILAND and reason:
        due, says = aware_at + timedelta(days=15), "15 days after the firm became aware, with a reason"
    elif law is Law.THAILAND:
        says += "; 15 days with a reason"
    return Clock(law=law, due_at=due, notified_at=notified_at, reason=reason, says=f"{NAMES[law]}: {says}.")
