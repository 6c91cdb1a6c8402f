from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DistributionConfig(AppConfig):
    name = "distribution"
    verbose_name = _("Distribution")

    def ready(self):
        from accounts import retention
        from distribution import emails, steps
        from outbox import kinds

        kinds.register("tickets_distributed", emails.tickets_distributed, emails.still_distributed)
        kinds.register("tickets_forwarded", emails.tickets_forwarded, emails.forward_stands)
        kinds.register("forward_reclaimed", emails.forward_reclaimed, emails.always)
        kinds.register("stock_returned", emails.stock_returned, emails.relay_acts)
        kinds.register("ticket_given_back", emails.ticket_given_back, emails.relay_acts)
        kinds.register("tickets_moved", emails.tickets_moved, emails.always)
        kinds.register("tickets_reclaimed", emails.tickets_reclaimed, emails.always)
        kinds.register("tickets_reminder", emails.tickets_reminder, emails.still_waiting)
        kinds.register("stock_reminder", emails.stock_reminder, emails.still_left)
        kinds.register("erasure_asked", emails.erasure_asked, emails.erasure_waits)
        kinds.register("idle", emails.idle, emails.still_idle)
        retention.register(
            "words",
            column="emails_months",
            what=_("The words that relays and members add for each other"),
            since=_("%(term)s after they were written"),
            basis=retention.CONTRACT,
            erase=steps.erase_old_words,
        )
        retention.register(
            "files",
            column="files_hours",
            what=_("The files of tickets that relays print, with the names on them"),
            since=_("%(term)s after they were asked for"),
            basis=retention.CONTRACT,
            erase=steps.drop_old_files,
        )
        retention.register(
            "logins",
            column="inactive_months",
            what=_("Your login, your names and your address; an email warns you 30 days before"),
            since=_("%(term)s after you last came, or were last given a ticket"),
            basis=retention.CONTRACT,
            erase=steps.erase_idle_logins,
        )
        retention.register(
            "members",
            column="inactive_months",
            what=_("The name of a person without an address, or who left a company's list"),
            since=_("%(term)s after she left, or was last given a ticket"),
            basis=retention.CONTRACT,
            erase=steps.erase_idle_members,
        )
        retention.register(
            "erasures",
            column="erasure_days",
            what=_("All that names you, once you have asked for it to be erased"),
            since=_("%(term)s after you asked, and once your last ticket is over"),
            basis="",
            erase=steps.carry_out_erasures,
        )
