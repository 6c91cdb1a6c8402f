from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True
    verbose_name = _("Accounts")

    def ready(self):
        from accounts import emails, retention, steps
        from outbox import kinds
        from outbox import steps as outbox_steps

        kinds.register("login_code", emails.login_code, emails.always)
        kinds.register("login_unknown", emails.login_unknown, emails.always)
        kinds.register("relay_welcome", emails.relay_welcome, emails.still_relay)
        kinds.register("relay_proposed", emails.relay_proposed, emails.always)
        kinds.register("relay_answered", emails.relay_answered, emails.proposer_is_relay)
        retention.register(
            "sessions",
            column="session_days",
            what=_("Where you logged in: the browser and its network address"),
            since=_("%(term)s after you logged in"),
            basis=retention.SAFETY,
            erase=steps.erase_old_sessions,
        )
        retention.register(
            "emails",
            column="emails_months",
            what=_("To which address each of our emails went, and what the mail server answered"),
            since=_("%(term)s after it was sent"),
            basis=retention.CONTRACT,
            erase=outbox_steps.erase_old,
        )
        retention.register(
            "proposals",
            column="emails_months",
            what=_("Your name and address, if a relay proposed you as a relay"),
            since=_("%(term)s after she did"),
            basis=retention.CONTRACT,
            erase=steps.erase_old_proposals,
        )


class RelaisAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "accounts.admin_site.RelaisAdminSite"
