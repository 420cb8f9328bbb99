"""What can go wrong in identity."""

from __future__ import annotations

from finer.kit.errors import (
    Conflict,
    FinerError,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)


class SignInRefused(Unauthenticated):
    """E-mail and password do not fit; which of the two is not said."""

    slug = "sign-in-refused"
    title = "Sign-in refused"


class TooManyAttempts(TooManyRequests):
    """Too many failed sign-ins for this account or from this address."""

    slug = "too-many-attempts"
    title = "Too many attempts"


class SignInBusy(TooManyRequests):
    """More people are signing in at this moment than passwords can be checked."""

    slug = "sign-in-busy"
    title = "Sign-in is busy"


class PermissionMissing(Forbidden):
    """The role or the key does not have the permission that this route declares."""

    slug = "permission-missing"


class CrossSiteRequest(Forbidden):
    """A browser sent a change from another site."""

    slug = "cross-site-request"
    title = "This request came from another site"


class WrongHost(FinerError):
    """The request names a host that this installation does not answer for (RFC 9110 section 15.5.20)."""

    status = 421
    slug = "wrong-host"
    title = "Wrong host"


class AddressNotAllowed(Forbidden):
    """The API key or the OAuth client may be used from certain networks only, and this is none of them."""

    slug = "address-not-allowed"
    title = "Not from this address"


class TokenRequestRefused(InvalidInput):
    """An OAuth client gets no token; `error` is the code of RFC 6749 section 5.2."""

    slug = "token-request-refused"
    title = "No access token"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


class StepUpRequired(Forbidden):
    """The act wants a fresh proof of who the caller is; `methods` says which ones would do."""

    slug = "step-up-required"
    title = "Confirm that it is you"


class SecondFactorMissing(Forbidden):
    """The firm wants a second factor of everybody, and the caller came in without."""

    slug = "second-factor-missing"
    title = "Set up a second factor first"


class ProofRefused(Unprocessable):
    """The password, code or passkey that was to prove who the caller is does not fit."""

    slug = "proof-refused"
    title = "This does not fit"


class FactorNotFound(NotFound):
    """The caller has no such authenticator app or passkey."""

    slug = "factor-not-found"


class PasskeysUnavailable(Conflict):
    """This installation is opened by a network address, for which browsers make no passkeys."""

    slug = "passkeys-unavailable"
    title = "Passkeys need a host name"


class TenantNotFound(NotFound):
    """No firm has this short name."""

    slug = "tenant-not-found"


class UserNotFound(NotFound):
    """No user of this firm has this e-mail address or id."""

    slug = "user-not-found"


class TeamNotFound(NotFound):
    """No team of this firm has this id."""

    slug = "team-not-found"


class KeyNotFound(NotFound):
    """No API key of this firm has this prefix or id."""

    slug = "key-not-found"


class ClientNotFound(NotFound):
    """No OAuth client of this firm has this id."""

    slug = "client-not-found"


class ProviderNotFound(NotFound):
    """This firm has no single sign-on."""

    slug = "provider-not-found"


class ProviderUnusable(Unavailable):
    """A firm's OpenID provider does not answer, or answers what cannot be accepted."""

    slug = "provider-unusable"
    title = "The sign-in service cannot be used"
    status = 502


class SessionNotFound(NotFound):
    """The caller has no open session with this id."""

    slug = "session-not-found"


class TooManyRows(Unprocessable):
    """More rows are asked for than one request may take away."""

    slug = "too-many-rows"
    title = "These are too many rows"


class VerificationNotFound(NotFound):
    """No run over this firm's audit chain has this id."""

    slug = "verification-not-found"


class SecurityAlertNotFound(NotFound):
    """No security alert of this firm has this id."""

    slug = "security-alert-not-found"


class AlertChanged(Conflict):
    """Somebody else changed the security alert since the caller looked at it."""

    slug = "alert-changed"
    title = "The alert has changed"


class AlreadyExists(Conflict):
    """The short name or e-mail address is taken."""

    slug = "already-exists"
    title = "This exists already"


class NotAcceptable(Unprocessable):
    """A name, address, password or zone that cannot be used."""

    slug = "not-acceptable"
    title = "This cannot be used"


class ProposalNotFound(NotFound):
    """No proposal of this firm has this id."""

    slug = "proposal-not-found"


class OwnProposal(Forbidden):
    """The maker of a proposal cannot be the one who decides on it."""

    slug = "own-proposal"
    title = "Somebody else has to decide on this"


class ProposalClosed(Conflict):
    """The proposal was decided or withdrawn."""

    slug = "proposal-closed"
    title = "This proposal does not wait any more"


class ProposalExpired(Conflict):
    """Nobody decided on the proposal in time."""

    slug = "proposal-expired"
    title = "This proposal has expired"


class ProposalChanged(Conflict):
    """The hash that was approved is not that of the proposal."""

    slug = "proposal-changed"
    title = "This is another proposal than the one you saw"


class ProposalStale(Conflict):
    """What the proposal would change has changed, or its maker may not propose it any more."""

    slug = "proposal-stale"
    title = "This proposal is out of date"


class NotForOneself(Forbidden):
    """Nobody changes their own role or account."""

    slug = "not-for-oneself"


class LastAdministrator(Conflict):
    """A firm keeps one administrator at least."""

    slug = "last-administrator"
    title = "This is the last administrator"


class TooManyReveals(TooManyRequests):
    """One person has looked at too many values in clear within the hour."""

    slug = "too-many-reveals"
    title = "Too many values shown in clear"
