"""HTTP of decisions that a caller waits for. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Controller, Request, Response, get, post

from finer.decisions.routes.documents import Decision, show_decision
from finer.decisions.service import alerts as service
from finer.decisions.types import alerts as types
from finer.identity.types.access import Permission, Principal
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id
from finer.kit.tx import Tx

BODY_BYTES_MAX = 64 * 1024
"""One transaction as JSON is far smaller; anything larger is a mistake or an attack."""
_BODY = {
    "required": True,
    "description": "One transaction, with the event_id that names it.",
    "content": {
        "application/json": {
            "schema": {
                "allOf": [{"$ref": "#/components/schemas/transaction"}, {"required": ["event_id"]}],
            }
        }
    },
}


class DecisionController(Controller):
    """Decisions that a caller waits for."""

    path = "/api/v1/decisions"
    tags = ["Decisions"]

    @post(
        "/",
        opt={
            "permission": Permission.DECISIONS_WRITE,
            "recorded": "decisions",
            "fast_path": "decisions",
            "repeat": "The event_id in the body is its key.",
            "describe": {"requestBody": _BODY},
        },
        status_code=200,
        summary="Decide one transaction",
    )
    async def decide(
        self, request: Request[Principal, Any, Any], decide: Callable[..., Awaitable[types.Decision]]
    ) -> Response[Decision]:
        """Decide one transaction through the same path as every other record, and wait for the answer.

        The event_id makes it idempotent: the same body again brings the same decision, another body is refused with
        409. 422 lists the fields that break the contract.
        """
        body = await request.body()
        if len(body) > BODY_BYTES_MAX:
            raise InvalidInput(f"The body has {len(body)} bytes; one transaction has at most {BODY_BYTES_MAX}.")
        return Response(show_decision(await decide(request.user, body)))

    @get(
        "/{decision_id:str}", opt={"permission": Permission.DECISIONS_READ}, sync_to_thread=True, summary="One decision"
    )
    def detail(self, tx: Tx, decision_id: str) -> Decision:
        """A decision that was waited for, as it was answered."""
        return show_decision(service.get_decision(tx, read_id("dec", decision_id)))
