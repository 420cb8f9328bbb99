"""The controllers of decisions, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.decisions.routes.alert_exports import AlertExportController
from finer.decisions.routes.alerts import AlertController
from finer.decisions.routes.case_actions import AskedActionController, CaseActController
from finer.decisions.routes.case_policy import CasePolicyController
from finer.decisions.routes.case_reports import CaseReportController
from finer.decisions.routes.case_work import CaseWorkController
from finer.decisions.routes.cases import CaseController
from finer.decisions.routes.decisions import DecisionController
from finer.decisions.routes.labels import LabelController

ROUTES: list[Any] = [
    AlertController,
    AlertExportController,
    CaseController,
    CasePolicyController,
    CaseWorkController,
    CaseActController,
    CaseReportController,
    AskedActionController,
    LabelController,
    DecisionController,
]
