"""The controllers of the workspace, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.workspace.routes.queries import QueryController
from finer.workspace.routes.saved import SavedController, ScheduleController

ROUTES: list[Any] = [QueryController, SavedController, ScheduleController]
