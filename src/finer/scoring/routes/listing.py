"""The controllers of scoring, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.scoring.routes.models import ModelController

ROUTES: list[Any] = [ModelController]
