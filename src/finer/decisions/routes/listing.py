"""The controllers of decisions, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.decisions.routes.alerts import AlertController
from finer.decisions.routes.decisions import DecisionController

ROUTES: list[Any] = [AlertController, DecisionController]
