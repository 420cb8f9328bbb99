"""Which acts take two people, and what does each of them: the counterpart of flow.py for proposals.

A domain that has such an act adds its kind here; identity keeps and checks proposals without knowing what they do.
"""

from __future__ import annotations

from finer.identity.routes.users import ENABLE, ROLE
from finer.identity.service import staff
from finer.identity.service.proposals import Kinds, ProposalKind
from finer.identity.types import Permission

_KINDS = (
    ProposalKind(
        name=ENABLE,
        title="Let somebody in who can approve for others",
        propose=Permission.USERS_WRITE,
        approve=Permission.USERS_APPROVE,
        version=staff.enable_version,
        describe=staff.describe_enable,
        execute=staff.execute_enable,
    ),
    ProposalKind(
        name=ROLE,
        title="Change somebody's role",
        propose=Permission.USERS_WRITE,
        approve=Permission.USERS_APPROVE,
        version=staff.role_version,
        describe=staff.describe_role,
        execute=staff.execute_role,
    ),
)
PROPOSAL_KINDS: Kinds = {kind.name: kind for kind in _KINDS}
