from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DistributionConfig(AppConfig):
    name = "distribution"
    verbose_name = _("Distribution")

    def ready(self):
        from distribution import emails
        from outbox import kinds

        kinds.register("tickets_distributed", emails.tickets_distributed, emails.still_distributed)
        kinds.register("tickets_forwarded", emails.tickets_forwarded, emails.forward_stands)
        kinds.register("forward_reclaimed", emails.forward_reclaimed, emails.always)
        kinds.register("ticket_given_back", emails.ticket_given_back, emails.always)
        kinds.register("tickets_moved", emails.tickets_moved, emails.always)
        kinds.register("tickets_reclaimed", emails.tickets_reclaimed, emails.always)
        kinds.register("tickets_reminder", emails.tickets_reminder, emails.still_waiting)
        kinds.register("stock_reminder", emails.stock_reminder, emails.still_left)
