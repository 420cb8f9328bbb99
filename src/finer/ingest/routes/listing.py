"""The controllers of ingest, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.ingest.routes.contracts import ContractController, DraftController
from finer.ingest.routes.events import EventController
from finer.ingest.routes.quarantine import QuarantineController
from finer.ingest.routes.receipts import ReceiptController

ROUTES: list[Any] = [
    ContractController,
    DraftController,
    EventController,
    ReceiptController,
    QuarantineController,
]
