"""My own account: password, second factors, passkeys, and proving again who I am."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post

from finer.identity.routes.cookies import session_cookies
from finer.identity.routes.documents import (
    Account,
    NewPasskey,
    PasskeyOptions,
    RecoveryCodes,
    TotpEnrolment,
    show_passkey,
    show_session,
)
from finer.identity.routes.edge import NOT_KEPT, credential_of
from finer.identity.routes.pool import HASHING, SIGNING
from finer.identity.routes.session import SMALL_BODY, Code, PasskeyBody
from finer.identity.service import factors, passkeys, sessions, totp
from finer.identity.types.access import Permission, Principal
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_OWN = Permission.SESSION_OWN
_PROVEN = "To prove again who one is renews the session, however often."
Password = Annotated[str, msgspec.Meta(max_length=256)]
PasskeyName = Annotated[str, msgspec.Meta(max_length=120)]


class PasswordChangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present password (empty for somebody who has none) and the new one."""

    present: Password
    new: Password

    def __repr__(self) -> str:
        return "PasswordChangeBody(...)"


class StepUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either the password or a code."""

    password: Password | None = None
    code: Code | None = None

    def __repr__(self) -> str:
        return "StepUpBody(...)"


class CodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator app."""

    code: Code

    def __repr__(self) -> str:
        return "CodeBody(...)"


class NameBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name."""

    name: PasskeyName


class NewPasskeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name, and what navigator.credentials.create() answered, as PublicKeyCredential.toJSON() writes it."""

    name: PasskeyName
    credential: dict[str, Any]


class AccountController(Controller):
    """My own account."""

    path = "/api/v1/account"
    tags = ["Account"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": _OWN, "without_second_factor": True}, sync_to_thread=True, summary="My account")
    def show(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> Account:
        """What I can sign in with, and sign-ins from new places."""
        me = request.user
        found = factors.list_factors(tx, me.id)
        return Account(
            password=found.password,
            totp_since=found.totp_since,
            recovery_codes_left=found.recovery_codes_left,
            passkeys=[show_passkey(one) for one in found.passkeys],
            passkey_origin=passkeys.passkey_origin(settings),
            notices=[
                show_session(one, current=False)
                for one in sessions.list_unfamiliar(tx, me.id)
                if one.id != me.session_id
            ],
        )

    @post(
        "/password", opt={"permission": _OWN, "repeat": "The present password is another one afterwards."},
        status_code=204, request_max_body_size=SMALL_BODY, summary="Change my password",
    )  # fmt: skip
    async def change_password(
        self, request: Request[Principal, Any, Any], data: PasswordChangeBody, doorway: Any, credentials: Any,
        settings: Settings,
    ) -> Response[None]:  # fmt: skip
        """Set a new password, by the present one. Every other session and every sign-in link of mine ends."""
        token = await HASHING.run(doorway.change_password, request.user, data.present, data.new)
        return _renewed(request, token, credentials, settings)

    @post(
        "/step-up",
        opt={"permission": _OWN, "without_second_factor": True, "repeat": _PROVEN},
        status_code=204, request_max_body_size=SMALL_BODY,
        summary="Prove again who I am",
    )  # fmt: skip
    async def step_up(
        self, request: Request[Principal, Any, Any], data: StepUpBody, doorway: Any, credentials: Any,
        settings: Settings,
    ) -> Response[None]:  # fmt: skip
        """Prove by password or code who I am; sensitive acts are open for the next minutes, under a new cookie."""
        if data.code is not None:
            token = await HASHING.run(doorway.step_up_by_code, request.user, data.code)
        else:
            token = await HASHING.run(doorway.step_up_by_password, request.user, data.password or "")
        return _renewed(request, token, credentials, settings)

    @post(
        "/step-up/passkey/options",
        opt={"permission": _OWN, "without_second_factor": True},
        sync_to_thread=True, status_code=200,
        summary="Begin to prove by passkey who I am",
    )  # fmt: skip
    def step_up_options(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> PasskeyOptions:
        """A challenge for one of my passkeys; it works once, for five minutes."""
        return PasskeyOptions(options=passkeys.step_up_options(tx, settings, request.user.id))

    @post(
        "/step-up/passkey", opt={"permission": _OWN, "without_second_factor": True, "repeat": _PROVEN}, status_code=204,
        request_max_body_size=SMALL_BODY, summary="Prove by passkey who I am",
    )  # fmt: skip
    async def step_up_by_passkey(
        self, request: Request[Principal, Any, Any], data: PasskeyBody, doorway: Any, credentials: Any,
        settings: Settings,
    ) -> Response[None]:  # fmt: skip
        """Prove by passkey who I am; sensitive acts are open for the next minutes, under a new cookie."""
        token = await SIGNING.run(doorway.step_up_by_passkey, request.user, data.credential)
        return _renewed(request, token, credentials, settings)

    @post(
        "/totp",
        opt={"permission": _OWN, "without_second_factor": True, "step_up": True, "answer_once": True},
        sync_to_thread=True, status_code=200,
        summary="Begin to set up an authenticator app",
    )  # fmt: skip
    def begin_totp(self, request: Request[Principal, Any, Any], tx: Tx) -> TotpEnrolment:
        """A new secret for an authenticator app; nothing changes before a code of it was entered."""
        begun = totp.begin_totp(tx, request.user.id)
        return TotpEnrolment(secret=begun.secret, uri=begun.uri)

    @post(
        "/totp/confirm",
        opt={"permission": _OWN, "without_second_factor": True, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        status_code=200, request_max_body_size=SMALL_BODY, summary="Confirm the authenticator app",
    )  # fmt: skip
    def confirm_totp(
        self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings, credentials: Any, data: CodeBody
    ) -> Response[RecoveryCodes]:
        """From now on the app is asked for at sign-in. Answers with recovery codes if there were none."""
        codes, token = totp.confirm_totp(tx, settings, request.user, data.code)
        return _renewed(request, token, credentials, settings, RecoveryCodes(recovery_codes=codes), 200)

    @delete(
        "/totp", opt={"permission": _OWN, "step_up": True}, sync_to_thread=True, summary="Remove the authenticator app"
    )
    def remove_totp(self, request: Request[Principal, Any, Any], tx: Tx) -> None:
        """The app is asked for no more."""
        totp.remove_totp(tx, request.user.id)

    @post(
        "/recovery-codes", opt={"permission": _OWN, "step_up": True, "answer_once": True}, sync_to_thread=True,
        status_code=200, summary="Make new recovery codes",
    )  # fmt: skip
    def renew_recovery_codes(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> RecoveryCodes:
        """Ten new recovery codes; the old ones work no more."""
        return RecoveryCodes(recovery_codes=factors.renew_recovery_codes(tx, settings, request.user.id))

    @post(
        "/passkeys/options",
        opt={"permission": _OWN, "without_second_factor": True, "step_up": True},
        sync_to_thread=True, status_code=200,
        summary="Begin to add a passkey",
    )  # fmt: skip
    def passkey_options(self, request: Request[Principal, Any, Any], tx: Tx, settings: Settings) -> PasskeyOptions:
        """A challenge for a new passkey; it works once, for five minutes."""
        return PasskeyOptions(options=passkeys.registration_options(tx, settings, request.user.id))

    @post(
        "/passkeys",
        opt={"permission": _OWN, "without_second_factor": True, "step_up": True, "repeat": "The challenge works once."},
        request_max_body_size=SMALL_BODY, summary="Add a passkey",
    )  # fmt: skip
    async def add_passkey(
        self, request: Request[Principal, Any, Any], data: NewPasskeyBody, doorway: Any, credentials: Any,
        settings: Settings,
    ) -> Response[NewPasskey]:  # fmt: skip
        """Keep a passkey that the browser has made. Answers with recovery codes if there were none."""
        passkey, codes, token = await HASHING.run(doorway.register_passkey, request.user, data.name, data.credential)
        return _renewed(
            request, token, credentials, settings, NewPasskey(passkey=show_passkey(passkey), recovery_codes=codes), 201
        )

    @patch(
        "/passkeys/{passkey_id:str}", opt={"permission": _OWN}, sync_to_thread=True, status_code=204,
        summary="Rename a passkey",
    )  # fmt: skip
    def rename_passkey(self, request: Request[Principal, Any, Any], tx: Tx, passkey_id: str, data: NameBody) -> None:
        """Give a passkey another name."""
        passkeys.rename_passkey(tx, request.user.id, read_id("pky", passkey_id), data.name)

    @delete(
        "/passkeys/{passkey_id:str}", opt={"permission": _OWN, "step_up": True}, sync_to_thread=True,
        summary="Remove a passkey",
    )  # fmt: skip
    def remove_passkey(self, request: Request[Principal, Any, Any], tx: Tx, passkey_id: str) -> None:
        """A passkey opens this account no more."""
        passkeys.remove_passkey(tx, request.user.id, read_id("pky", passkey_id))


def _renewed(
    request: Request[Principal, Any, Any], token: str, credentials: Any, settings: Settings, answer: Any = None,
    status_code: int = 204,
) -> Response[Any]:  # fmt: skip
    """An answer under a new session cookie: whoever proves again who they are leaves the old token behind."""
    credentials.forget(credential_of(request)[0])
    return Response(answer, status_code=status_code, cookies=session_cookies(request, token, settings))
