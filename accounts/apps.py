from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True
    verbose_name = _("Accounts")

    def ready(self):
        from accounts import emails
        from outbox import kinds

        kinds.register("login_code", emails.login_code, emails.always)
        kinds.register("login_unknown", emails.login_unknown, emails.always)
        kinds.register("relay_welcome", emails.relay_welcome, emails.still_relay)


class RelaisAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "accounts.admin_site.RelaisAdminSite"
