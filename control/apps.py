from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ControlConfig(AppConfig):
    name = "control"
    verbose_name = _("Gates")

    def ready(self):
        from accounts import retention
        from control import steps

        retention.register(
            "scans",
            column="scans_months",
            what=_("Which ticket came in at which gate, and when it was refused"),
            since=_("%(term)s after the event"),
            basis=retention.SAFETY,
            erase=steps.part_old_scans,
        )
