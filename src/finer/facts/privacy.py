"""Facts of the privacy domain."""

from __future__ import annotations

from typing import ClassVar

from finer.kit.actors import Fact


class ErasureApproved(Fact, frozen=True):
    """Two people agreed to erase somebody. The request says whom; a fact names no person."""

    name: ClassVar[str] = "privacy.erasure_approved.v1"

    request_id: str
