from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from members.models import Erasure
from portal.admin import ReadOnlyAdmin, asks_again_to


class Waiting(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "waits"

    def lookups(self, request, model_admin):
        return [("yes", _("waits")), ("no", _("done or called off"))]

    def queryset(self, request, queryset):
        waits = {"called_off_at": None, "done_at": None}
        return {"yes": queryset.filter(**waits), "no": queryset.exclude(**waits)}.get(self.value() or "", queryset)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """What people asked; each is carried out by itself after the seller's delay, or from here at once."""

    list_display = ["user", "asked_at", "called_off_at", "done_at", "done_by"]
    list_filter = [Waiting]
    list_select_related = ["user", "done_by"]
    search_fields = ["user__email"]
    fields = ["user", "asked_at", "called_off_at", "done_at", "done_by"]
    actions = ["erase_now"]

    @asks_again_to("erase_now")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    def get_actions(self, request):
        found = super().get_actions(request)
        return found if request.user.has_perm("members.change_erasure") else {}

    @admin.action(description=_("Erase now, without waiting for the delay"))
    def erase_now(self, request, queryset):
        from distribution import actions  # it draws tickets: their libraries are not there when the image is built

        erasures = list(queryset.filter(called_off_at=None, done_at=None).values_list("pk", flat=True))
        done = actions.erase_now(erasures=erasures, by=request.user)
        self.message_user(request, ngettext("%(n)d person is erased.", "%(n)d people are erased.", done) % {"n": done}, messages.SUCCESS)
        if waiting := len(erasures) - done:
            sentence = ngettext(
                "%(n)d person waits: she holds tickets to come, or still acts for a company.",
                "%(n)d people wait: they hold tickets to come, or still act for a company.",
                waiting,
            )
            self.message_user(request, sentence % {"n": waiting}, messages.WARNING)
