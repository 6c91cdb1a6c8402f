"""One email to one mail server. SMTP is spoken by hand where it matters: just before DATA."""

import smtplib
from collections.abc import Callable
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy

from django.conf import settings
from django.core.mail.utils import DNS_NAME

from outbox.kinds import Letter
from outbox.models import Delivery

CONNECT_SECONDS = 30
# RFC 5321 4.5.3.2.6: an impatient client is the usual maker of doubles.
REPLY_SECONDS = 600


class NotTaken(Exception):
    """The row is no longer this worker's: nothing was sent."""


class WholeHeaders(EmailPolicy):
    """Python folds « Nuit Ravel » into two encoded words and forgets the space between them (RFC 2047, 6.2): Header does not."""

    def fold_binary(self, name: str, value) -> bytes:
        if value.isascii() or name not in ("Subject", "From"):
            return super().fold_binary(name, value)
        if name == "From":
            (sender,) = value.addresses
            folded = f"{self.encoded(sender.display_name, name)}\r\n <{sender.addr_spec}>"
        else:
            folded = self.encoded(value, name)
        return f"{name}: {folded}\r\n".encode("ascii")

    @staticmethod
    def encoded(words: str, name: str) -> str:
        return Header(words, "utf-8", header_name=name).encode(linesep="\r\n")


def written(delivery: Delivery, letter: Letter) -> EmailMessage:
    """The message as it goes out: the same bytes on every attempt. ValueError if it can't be built."""
    message = EmailMessage(policy=WholeHeaders(linesep="\r\n"))
    message["From"] = Address(letter.sender, addr_spec=settings.DEFAULT_FROM_EMAIL)
    message["To"] = delivery.recipient
    message["Subject"] = letter.subject
    message["Date"] = delivery.created_at
    message["Message-ID"] = delivery.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = delivery.language
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    for attached in letter.attachments:
        message.add_attachment(attached.content, maintype="application", subtype="pdf", filename=attached.name)
    return message


def send(delivery: Delivery, message: EmailMessage, before_data: Callable[[], bool]) -> str:
    """Send and return the server's reply. `before_data` commits the doubtful moment; False drops the connection."""
    smtp_class = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    with smtp_class(settings.EMAIL_HOST, settings.EMAIL_PORT, local_hostname=str(DNS_NAME), timeout=CONNECT_SECONDS) as server:
        if settings.EMAIL_USE_TLS:
            server.starttls()
        if settings.EMAIL_HOST_USER:
            server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        server.ehlo_or_helo_if_needed()
        body = message.as_bytes()
        address = delivery.recipient if delivery.recipient.isascii() else idna(delivery.recipient)
        accept(*server.mail(f"bounce+{delivery.message_id[1:].partition('@')[0]}@{settings.MAIL_DOMAIN}"))
        accept(*server.rcpt(address))
        if not before_data():
            raise NotTaken
        assert server.sock is not None
        server.sock.settimeout(REPLY_SECONDS)
        code, reply = server.data(body)
        return accept(code, reply)


def idna(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def accept(code: int, reply: bytes) -> str:
    text = f"{code} {reply.decode(errors='replace')}"[:500]
    if code not in (250, 251):
        raise smtplib.SMTPResponseException(code, text)
    return text
