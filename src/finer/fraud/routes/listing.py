"""The controllers of fraud, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.fraud.routes.lists import ListController
from finer.fraud.routes.performance import PerformanceController
from finer.fraud.routes.rules import RuleController, RuleVersionController

ROUTES: list[Any] = [RuleController, RuleVersionController, ListController, PerformanceController]
