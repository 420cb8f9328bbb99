"""What an investigation goes through, by typology: a template, copied into each case when it is opened."""

from __future__ import annotations

from finer.decisions.types.cases import ChecklistItem, Typology

_COMMON = (
    ("history", "Compare the payments with what the customer usually does"),
    ("links", "Look for other customers who share a device, a payee or a contact"),
)
_TEMPLATES = {
    Typology.ACCOUNT_TAKEOVER: (
        ("contact", "Reach the customer by a number from before the first suspicious event"),
        ("device", "Check when the device was first seen and what else it did"),
        ("changes", "Look for changed contact details or new payees"),
        ("secure", "Block the account or card, or note why not"),
    ),
    Typology.CARD: (
        ("possession", "Ask whether the customer still holds the card"),
        ("merchant", "Look for other cards with small payments at the same merchant"),
        ("secure", "Block and replace the card, or note why not"),
    ),
    Typology.LAUNDERING: (
        ("source", "Establish where the money comes from"),
        ("pattern", "Add up round amounts under the reporting limit over 30 days"),
        ("purpose", "Compare turnover with the income that is on file"),
        ("report", "Decide whether a suspicious activity report is due, and note why"),
    ),
    Typology.SCAM: (
        ("contact", "Ask the customer who told them to pay, and what for"),
        ("payee", "Check what else the payee received"),
        ("recall", "Ask the receiving bank to hold the money, or note why not"),
    ),
    Typology.GENERAL: (("contact", "Ask the customer whether they made the payment"),),
}


def checklist(typology: Typology) -> list[ChecklistItem]:
    """The steps of a new case of this typology."""
    return [ChecklistItem(id=name, text=text) for name, text in (*_COMMON, *_TEMPLATES[typology])]
