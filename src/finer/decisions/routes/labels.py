"""HTTP of labels: what payments turned out to be, with an alert or without. Parse, call, answer."""

from __future__ import annotations

from litestar import Controller, post

from finer.decisions.routes.case_bodies import LabelsBody
from finer.decisions.routes.case_work import LakeOf
from finer.decisions.service import labels
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.labels import LabelsTaken, ReportedLabel
from finer.identity.types.access import Permission
from finer.kit.tx import Tx


class LabelController(Controller):
    """Labels that are reported."""

    path = "/api/v1/labels"
    tags = ["Cases"]

    @post(
        "/", opt={"permission": Permission.LABELS_WRITE}, sync_to_thread=True, status_code=200,
        summary="Report what payments turned out to be",
    )  # fmt: skip
    def report(self, tx: Tx, data: LabelsBody, lake_of: LakeOf) -> LabelsTaken:
        """Label payments by their event ids, whether or not they raised an alert: chargebacks, complaints, retractions.

        All or none. Alerts among them are judged as in their cases; what is known latest decides. Rules are priced,
        models learnt and the page Performance counted by these labels.
        """
        reported = [
            ReportedLabel(
                event_id=one.event_id, occurred_at=one.occurred_at, verdict=AlertState(one.verdict), source=one.source,
                known_at=tx.now() if one.known_at is None else one.known_at, reason=one.reason,
            )
            for one in data.labels
        ]  # fmt: skip
        return labels.report(tx, reported, lake_of(tx))
