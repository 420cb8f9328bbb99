"""The controllers of identity, for the app to mount."""

from __future__ import annotations

from typing import Any

from finer.identity.routes.account import AccountController
from finer.identity.routes.api_keys import KeyController
from finer.identity.routes.audit import AuditController
from finer.identity.routes.firm import FirmController
from finer.identity.routes.oauth import OAuthClientController, TokenController
from finer.identity.routes.permissions import PermissionController
from finer.identity.routes.proposals import ProposalController
from finer.identity.routes.security_alerts import SecurityAlertController
from finer.identity.routes.session import SessionController
from finer.identity.routes.sso import SsoController, SsoSettingsController
from finer.identity.routes.teams import TeamController
from finer.identity.routes.users import UserController

ROUTES: list[Any] = [
    SessionController,
    AccountController,
    KeyController,
    TokenController,
    OAuthClientController,
    SsoController,
    SsoSettingsController,
    FirmController,
    AuditController,
    SecurityAlertController,
    PermissionController,
    TeamController,
    UserController,
    ProposalController,
]
