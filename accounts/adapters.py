from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts import actions
from portal.text import canonical_email


class AccountAdapter(DefaultAccountAdapter):
    """allauth as the portal needs it: sign-up closed, every email owed through the outbox."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_email(self, email: str) -> str:
        return canonical_email(email)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """The code if there is one; else what an unknown address is told."""
        actions.send_login_code(address=canonical_email(email), code=context.get("code"))
