"""The controllers of identity, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.identity.routes.api_keys import KeyController
from finer.identity.routes.audit import AuditController
from finer.identity.routes.session import SessionController

ROUTES: list[Any] = [
    SessionController,
    KeyController,
    AuditController,
]
