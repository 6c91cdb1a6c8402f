from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self):
        from accounts import retention
        from outbox import kinds
        from tickets import emails, steps

        kinds.register("tickets_ready", emails.tickets_ready, emails.order_stands)
        kinds.register("tickets_cancelled", emails.tickets_cancelled, emails.always)
        kinds.register("ticket_cancelled", emails.ticket_cancelled, emails.always)
        kinds.register("event_cancelled", emails.event_changed, emails.concerns_somebody)
        kinds.register("event_moved", emails.event_changed, emails.concerns_somebody)
        retention.register(
            "names",
            column="names_months",
            what=_("The names on tickets; the tickets themselves stay, for the accounts"),
            since=_("%(term)s after the event"),
            basis=retention.CONTRACT,
            erase=steps.erase_old_names,
        )
