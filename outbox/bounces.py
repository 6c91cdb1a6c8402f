"""What a mail server says later: it took an email, and could not deliver it (RFC 3464)."""

import email
import email.policy


def refusal_in(content: bytes) -> str:
    """The mail server's words for good, of a report that says so; nothing for a delay, an absence, or any other email."""
    report = email.message_from_bytes(content, policy=email.policy.default)
    for part in report.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for said in part.walk():  # a block of lines for the report, then one for each address
            if said.get("Action", "").strip().lower() == "failed":
                words = said.get("Diagnostic-Code", "").partition(";")[2] or said.get("Status", "")
                return " ".join(words.split()) or "failed"
    return ""
