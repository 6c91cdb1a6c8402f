from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MembersConfig(AppConfig):
    name = "members"
    verbose_name = _("Members")

    def ready(self):
        from accounts import retention
        from members import emails, steps
        from outbox import kinds

        kinds.register("address_code", emails.address_code, emails.always)
        kinds.register("address_changed", emails.address_changed, emails.always)
        kinds.register("members_corrected", emails.members_corrected, emails.still_on_the_list)
        kinds.register("member_left", emails.member_left, emails.still_named)
        retention.register(
            "consents",
            column="consents_months",
            what=_("The proof of what you answered about offers"),
            since=_("%(term)s after you changed your answer, or were erased"),
            basis=retention.DUTY,
            erase=steps.erase_old_answers,
        )
        retention.register(
            "accesses",
            column="accesses_months",
            what=_("Who of the seller's staff opened your record"),
            since=_("%(term)s after it was opened"),
            basis=retention.SAFETY,
            erase=steps.erase_old_accesses,
        )
        retention.register(
            "addresses",
            column="address_days",
            what=_("An address that you typed to change yours"),
            since=_("%(term)s after you typed it"),
            basis=retention.CONTRACT,
            erase=steps.erase_typed_addresses,
        )
