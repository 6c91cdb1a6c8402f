from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from outbox.models import Delivery, DeliveryEvent
from portal.admin import ReadOnlyAdmin


class EventInline(admin.TabularInline):
    model = DeliveryEvent
    extra = 0
    can_delete = False
    fields = readonly_fields = ["at", "kind", "detail"]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "kind", "recipient", "state", "attempts", "sent_at", "smtp_reply"]
    list_filter = ["state", "kind"]
    search_fields = ["recipient"]
    fields = ["kind", "recipient", "language", "state", "attempts", "not_before", "useful_until", "sent_at", "smtp_reply", "created_at"]
    inlines = [EventInline]
    actions = ["send_again"]

    @admin.action(description=_("Send again"))
    def send_again(self, request, queryset):
        from outbox import actions

        again = actions.send_again(queryset.values_list("pk", flat=True))
        self.message_user(request, _("Emails that will leave again: %(count)s.") % {"count": again})
