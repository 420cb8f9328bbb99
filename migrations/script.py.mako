"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}"""
    op.execute("set local lock_timeout = '5s'")
    ${upgrades if upgrades else "pass"}
