"""HTTP of what became of records: receipts and quarantine. Parse, call, answer."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from litestar import Controller, get
from litestar.params import Parameter

from finer.identity.types import Permission
from finer.ingest.routes.documents import (
    QuarantineCauses,
    QuarantinePage,
    Receipt,
    ReceiptPage,
    show_cause,
    show_quarantined,
    show_receipt,
)
from finer.ingest.service import contracts, quarantine, receipts
from finer.ingest.types.receipts import ReceiptFilter
from finer.kit.ids import read_id
from finer.kit.tx import Tx

_Limit: TypeAlias = Annotated[int, Parameter(ge=1, le=500)]


class ReceiptController(Controller):
    """What became of the records that were sent."""

    path = "/api/v1/receipts"
    tags = ["Ingest"]

    @get("/", opt={"permission": Permission.RECEIPTS_READ}, sync_to_thread=True, summary="List receipts")
    def list(
        self,
        tx: Tx,
        contract: str | None = None,
        receipt_state: Annotated[Literal["processing", "done"] | None, Parameter(query="state")] = None,
        source: Annotated[str | None, Parameter(description="A text that the source holds, in any case.")] = None,
        limit: _Limit = 50,
        before: str | None = None,
    ) -> ReceiptPage:
        """Receipts of a contract, a state and a source, newest first, page by page."""
        wanted = ReceiptFilter(
            contract=contract,
            source=source,
            done=None if receipt_state is None else receipt_state == "done",
            before=None if before is None else read_id("rct", before),
        )
        page = receipts.list_receipts(tx, wanted, limit=limit)
        known = contracts.load(tx)
        return ReceiptPage(items=[show_receipt(item, known) for item in page.items], next=page.next)

    @get("/{receipt_id:str}", opt={"permission": Permission.RECEIPTS_READ}, sync_to_thread=True, summary="One receipt")
    def detail(self, tx: Tx, receipt_id: str) -> Receipt:
        """A receipt: received = accepted + duplicate + quarantined once its state is done."""
        return show_receipt(receipts.get_receipt(tx, read_id("rct", receipt_id)), contracts.load(tx))


class QuarantineController(Controller):
    """Records that break their contract."""

    path = "/api/v1/quarantine"
    tags = ["Ingest"]

    @get(
        "/",
        opt={"permission": Permission.QUARANTINE_READ, "sensitive": True},
        sync_to_thread=True,
        summary="List quarantined records",
    )
    def list(
        self,
        tx: Tx,
        contract: str | None = None,
        rule: str | None = None,
        receipt: str | None = None,
        limit: _Limit = 50,
        before: str | None = None,
    ) -> QuarantinePage:
        """Records in quarantine with every broken field, newest first, page by page."""
        page = quarantine.list_quarantined(
            tx,
            contract=contract,
            rule=rule,
            receipt=None if receipt is None else read_id("rct", receipt),
            before=None if before is None else read_id("qua", before),
            limit=limit,
        )
        known = contracts.load(tx)
        return QuarantinePage(items=[show_quarantined(item, known) for item in page.items], next=page.next)

    @get(
        "/causes", opt={"permission": Permission.QUARANTINE_READ}, sync_to_thread=True,
        summary="Count quarantined records",
    )  # fmt: skip
    def causes(self, tx: Tx) -> QuarantineCauses:
        """Records in quarantine by contract, field and broken rule, most frequent first."""
        known = contracts.load(tx)
        return QuarantineCauses(items=[show_cause(cause, known) for cause in quarantine.quarantine_causes(tx)])
