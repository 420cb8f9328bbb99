"""HTTP of OAuth 2: tokens for machines, the keys that sign them, and the clients of a firm."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.concurrency import sync_to_thread

from finer.identity.errors import TokenRequestRefused
from finer.identity.routes.api_keys import ChangeBody, KeyBody, MachineView, RotateBody, read_scopes, shown_machine
from finer.identity.routes.edge import NOT_KEPT, PUBLIC, address_of
from finer.identity.service import access_tokens, api_keys, machine_approvals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import ApiKey, MachineKind, Permission
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_KIND = MachineKind.OAUTH_CLIENT
_SMALL_BODY = 8192
_TEXT = {"type": "string"}
_TOKEN_FORM = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["grant_type"],
                "properties": {
                    "grant_type": {"const": "client_credentials"},
                    "scope": _TEXT,
                    "client_id": _TEXT,
                    "client_secret": _TEXT,
                },
            }
        }
    },
}


_TOKEN_REFUSALS = {
    status: {
        "description": "Why there is no token (RFC 6749 section 5.2)",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["error", "error_description"],
                    "properties": {"error": _TEXT, "error_description": _TEXT},
                }
            }
        },
    }
    for status in ("400", "401")
}


class AccessToken(msgspec.Struct, frozen=True):
    """A token and how long it is good (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(msgspec.Struct, frozen=True):
    """Why there is no token (RFC 6749 section 5.2)."""

    error: str
    error_description: str


class SigningKeys(msgspec.Struct, frozen=True):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, str]]


class OAuthClientView(MachineView, frozen=True, kw_only=True):
    """An OAuth client, without its secret."""

    client_id: str


class NewOAuthClient(OAuthClientView, frozen=True, kw_only=True):
    """An OAuth client with its secret, which is shown this once."""

    client_secret: str


class TokenController(Controller):
    """Tokens for machines."""

    path = "/api/v1/oauth"
    tags = ["OAuth"]

    @post(
        "/token",
        opt={"permission": PUBLIC, "describe": {"requestBody": _TOKEN_FORM, "responses": _TOKEN_REFUSALS}},
        status_code=200,
        request_max_body_size=_SMALL_BODY,
        summary="Get an access token",
        response_headers=NOT_KEPT,
    )
    async def token(self, request: Request[Any, Any, Any], machine_tokens: Any) -> Response[AccessToken | TokenError]:
        """Exchange a client's id and secret for a token of ten minutes (grant type client_credentials).

        The body is a form (application/x-www-form-urlencoded) with `grant_type` and, when wanted, `scope`; id and
        secret come by HTTP Basic or as `client_id` and `client_secret` of the form, not by both.
        """
        try:
            form = _form(await request.body(), request.headers.get("content-type", ""))
            client_id, secret = _client(request.headers.get("authorization"), form)
            token, scopes = await sync_to_thread(
                machine_tokens.issue, client_id, secret, form.get("scope"), address_of(request)
            )
        except TokenRequestRefused as refusal:
            unknown = refusal.error == "invalid_client"
            headers = {"WWW-Authenticate": 'Basic realm="Finer"'} if unknown else {}
            said = TokenError(refusal.error, refusal.detail)
            return Response(said, status_code=401 if unknown else 400, headers=headers)
        return Response(AccessToken(token, "Bearer", access_tokens.LIFETIME_S, " ".join(scopes)), status_code=200)

    @get("/jwks", opt={"permission": PUBLIC}, sync_to_thread=True, summary="Keys that sign access tokens")
    def jwks(self, machine_tokens: Any) -> SigningKeys:
        """The public keys with which access tokens are signed, as a JWK set."""
        return SigningKeys(machine_tokens.documents())


class OAuthClientController(Controller):
    """OAuth clients: machines that fetch short-lived tokens."""

    path = "/api/v1/oauth/clients"
    tags = ["OAuth"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.API_KEYS_READ}, sync_to_thread=True, summary="List OAuth clients")
    def list(self, tx: Tx) -> list[OAuthClientView]:
        """Every OAuth client of the firm, without its secret."""
        waiting = machine_approvals.waiting(tx)
        return [OAuthClientView(**_shown(client, waiting)) for client in api_keys.list_machines(tx, _KIND)]

    @post(
        "/", opt={"permission": Permission.API_KEYS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        summary="Make an OAuth client",
    )  # fmt: skip
    def create(self, tx: Tx, data: KeyBody, settings: Settings, proposal_kinds: Kinds) -> NewOAuthClient:
        """Make an OAuth client; the answer is the only place where its secret is ever shown.

        It gets no token before somebody else approves it.
        """
        client, secret = machine_approvals.create(
            tx,
            settings,
            proposal_kinds,
            kind=_KIND,
            name=data.name,
            scopes=read_scopes(data.scopes),
            lifetime=timedelta(days=data.days),
            networks=data.networks,
            reason=data.reason,
        )
        return _new(tx, client, secret)

    @patch(
        "/{client_id:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True,
        summary="Change an OAuth client",
    )  # fmt: skip
    def change(
        self, tx: Tx, client_id: str, data: ChangeBody, settings: Settings, proposal_kinds: Kinds
    ) -> OAuthClientView:
        """Rename a client, or say from which networks it may be used; more networks wait for somebody's approval."""
        changed = machine_approvals.change(
            tx, settings, proposal_kinds, _KIND, prefix=_prefix(client_id), name=data.name, networks=data.networks,
            reason=data.reason,
        )  # fmt: skip
        return OAuthClientView(**_shown(changed, machine_approvals.waiting(tx)))

    @post(
        "/{client_id:str}/rotation",
        opt={"permission": Permission.API_KEYS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True, summary="Give an OAuth client a new secret",
    )  # fmt: skip
    def rotate(
        self, tx: Tx, client_id: str, data: RotateBody, settings: Settings, proposal_kinds: Kinds
    ) -> NewOAuthClient:
        """A new secret, shown this once; the one before it works on for the overlap. A later end waits for approval."""
        lifetime = None if data.days is None else timedelta(days=data.days)
        client, secret = machine_approvals.rotate(
            tx, settings, proposal_kinds, _KIND, prefix=_prefix(client_id),
            overlap=timedelta(hours=data.overlap_hours), lifetime=lifetime, reason=data.reason,
        )  # fmt: skip
        return _new(tx, client, secret)

    @delete(
        "/{client_id:str}", opt={"permission": Permission.API_KEYS_WRITE}, sync_to_thread=True,
        summary="Revoke an OAuth client",
    )  # fmt: skip
    def revoke(self, tx: Tx, client_id: str) -> None:
        """End a client; its tokens stop working within a second."""
        api_keys.revoke_machine(tx, _KIND, prefix=_prefix(client_id))


def _form(body: bytes, content_type: str) -> dict[str, str]:
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise TokenRequestRefused("invalid_request", "Send the request as application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError as error:
        raise TokenRequestRefused("invalid_request", "The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRequestRefused("invalid_request", "A parameter stands in the form twice.")
    if form.get("grant_type") != "client_credentials":
        raise TokenRequestRefused("unsupported_grant_type", "The one grant type here is client_credentials.")
    return form


def _client(header: str | None, form: dict[str, str]) -> tuple[str, str]:
    """Id and secret: by HTTP Basic, in which both are form-encoded first (RFC 6749 section 2.3.1), or by the form."""
    if header is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise TokenRequestRefused("invalid_request", "Send the secret once: by HTTP Basic or by the form.")
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise TokenRequestRefused("invalid_client", "The Authorization header cannot be read.") from error
    client_id, separator, secret = text.partition(":")
    if scheme.lower() != "basic" or not separator:
        raise TokenRequestRefused("invalid_client", "A client shows who it is by HTTP Basic or by the form.")
    client_id = unquote_plus(client_id)
    if form.get("client_id", client_id) != client_id:
        raise TokenRequestRefused("invalid_request", "Header and form name different clients.")
    return client_id, unquote_plus(secret)


def _prefix(client_id: str) -> str:
    return client_id.removeprefix(api_keys.CLIENT_MARK)


def _shown(client: ApiKey, waiting: Mapping[str, str]) -> dict[str, Any]:
    return shown_machine(client, waiting) | {"client_id": f"{api_keys.CLIENT_MARK}{client.prefix}"}


def _new(tx: Tx, client: ApiKey, secret: str) -> NewOAuthClient:
    return NewOAuthClient(**_shown(client, machine_approvals.waiting(tx)), client_secret=secret)
