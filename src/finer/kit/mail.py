"""E-mail: one message at a time to the relay that the operator named (FINER_MAIL_URL). What it says is never logged."""

from __future__ import annotations

import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import msgspec

from finer.kit.errors import InvalidInput, Unavailable
from finer.kit.settings import Settings

_TIMEOUT_S = 20.0
_HERE = ("127.0.0.1", "::1", "localhost")
_PORTS = {"smtp": 587, "smtps": 465}


class MailNotSent(Unavailable):
    """A message was not taken by the relay; `detail` says why."""

    slug = "mail-not-sent"
    title = "The e-mail was not sent"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A message to one person, as text and as HTML. Sent twice with one `id`, mail programs show it once."""

    id: str
    to: str
    subject: str
    text: str
    html: str


class Mailer:
    """A relay. The connection is encrypted unless the relay is on this machine."""

    def __init__(self, url: str, sender: str) -> None:
        """`smtp://user:password@host:port` (STARTTLS) or `smtps://`. Raises InvalidInput for another address."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise InvalidInput("FINER_MAIL_URL is no address. Write smtp://user:password@host:587.") from error
        if parts.scheme not in _PORTS or not parts.hostname or not sender:
            raise InvalidInput(
                "Mail goes to smtp://host:587 or smtps://host:465 (FINER_MAIL_URL), from FINER_MAIL_FROM. Set both."
            )
        self._host, self._port, self._direct = parts.hostname, port, parts.scheme == "smtps"
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender

    @classmethod
    def of(cls, settings: Settings) -> Mailer | None:
        """The relay as the operator set it; None when there is none. Raises InvalidInput."""
        return cls(settings.mail_url, settings.mail_from) if settings.mail_url else None

    def send(self, mail: Mail) -> None:
        """Hand a message to the relay. Raises MailNotSent."""
        try:
            message = self._message(mail)
            with self._connected() as relay:
                if self._user:
                    relay.login(self._user, self._password)
                relay.send_message(message)
        except (smtplib.SMTPException, MessageError, OSError, ValueError) as error:
            # The relay's own words may hold the address, which is nobody's business in a log.
            code = getattr(error, "smtp_code", "")
            raise MailNotSent(
                f"The relay {self._host}:{self._port} did not take it: {type(error).__name__} {code}".strip() + "."
            ) from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._direct:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_S, context=context)
        relay = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
        if self._host not in _HERE:
            try:
                relay.starttls(context=context)
            except BaseException:
                relay.close()
                raise
        return relay

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, mail.to
        message["Subject"] = " ".join(mail.subject.split())[:200]
        message["Date"], message["Message-ID"] = formatdate(), f"<{mail.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message
