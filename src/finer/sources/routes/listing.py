"""The controllers of sources, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.sources.routes.sources import SourceController
from finer.sources.routes.webhooks import WebhookController

ROUTES: list[Any] = [SourceController, WebhookController]
