from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self):
        from outbox import kinds
        from tickets import emails

        kinds.register("tickets_ready", emails.tickets_ready, emails.order_stands)
        kinds.register("tickets_cancelled", emails.tickets_cancelled, emails.always)
        kinds.register("ticket_cancelled", emails.ticket_cancelled, emails.always)
