"""HTTP of what became of records. Parse, call, answer."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from litestar import Controller, get
from litestar.params import Parameter

from finer.identity.types.access import Permission
from finer.ingest.routes.documents import Receipt, ReceiptPage, show_receipt
from finer.ingest.service import contracts, receipts
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
