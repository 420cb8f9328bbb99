"""`finer quality`: scores of contracts, and what is not as usual."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import click

from finer.app.commands.common import json_option, show, tenant_option, tenant_transaction
from finer.app.commands.options import data_dir_option
from finer.identity.service.tenants import get_tenant
from finer.kit.ids import show_id
from finer.quality.service import overview, saying
from finer.quality.service.detection import PREFIX
from finer.quality.types import ContractQuality, Incident


@click.command()
@tenant_option
@data_dir_option
@json_option
def quality(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """The share of records that passed each contract, and open incidents.

    Example: finer quality --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = overview.list_qualities(tx)
        zone, now = ZoneInfo(get_tenant(tx).timezone), tx.now()

    def said(incident: Incident) -> str:
        return saying.sentence(incident, zone, now)

    def text() -> None:
        for one in found:
            click.echo(_line(one))
        for one in found:
            for incident in one.incidents:
                click.echo(f"{show_id(PREFIX, incident.id)}  {incident.severity.value:<8}  {said(incident)}")

    show([_document(one, said) for one in found], as_json, text)


def _line(one: ContractQuality) -> str:
    hour, day, month = ("     -" if each.score is None else f"{100 * each.score:5.1f}%" for each in one.scores)
    open_now = f"  {len(one.incidents)} open" if one.incidents else ""
    return f"{one.contract:<20} 1 h {hour}  24 h {day}  30 d {month}  {one.scores[1].received:>12,} in 24 h{open_now}"


def _document(one: ContractQuality, said: Any) -> dict[str, Any]:
    return {
        "contract": one.contract,
        "scores": [
            {"hours": each.hours, "received": each.received, "passed": each.passed, "score": each.score}
            for each in one.scores
        ],
        "incidents": [
            {
                "id": show_id(PREFIX, incident.id),
                "severity": incident.severity,
                "state": incident.state,
                "since": incident.since,
                "sentence": said(incident),
            }
            for incident in one.incidents
        ],
    }
