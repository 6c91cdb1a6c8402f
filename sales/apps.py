from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = _("Sales")

    def ready(self):
        from outbox import kinds
        from sales import emails

        kinds.register("order_confirmed", emails.order_confirmed, emails.order_stands)
        kinds.register("option_asked", emails.option_asked, emails.option_to_answer)
        kinds.register("option_live", emails.option_live, emails.option_holds)
        kinds.register("option_reminder", emails.option_reminder, emails.option_holds)
        kinds.register("option_refused", emails.option_refused, emails.still_buys)
        kinds.register("option_lapsed", emails.option_lapsed, emails.still_buys)
        kinds.register("option_free", emails.option_free, emails.still_buys)
