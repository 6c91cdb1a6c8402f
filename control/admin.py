from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from control import actions
from control.models import Device, Gate, Scan
from control.tokens import hashed, new_token
from portal.admin import ReadOnlyAdmin


@admin.register(Gate)
class GateAdmin(admin.ModelAdmin):
    list_display = ["name", "event"]
    list_select_related = ["event"]
    search_fields = ["name", "event__name"]
    autocomplete_fields = ["event"]


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):
    list_display = ["name", "gate", "created_at", "revoked_at"]
    list_select_related = ["gate__event"]
    search_fields = ["name"]
    autocomplete_fields = ["gate"]
    fields = ["gate", "name", "created_at", "revoked_at"]
    readonly_fields = ["created_at", "revoked_at"]
    actions = ["revoke"]

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if not change:
            token = new_token()
            obj.token_hash = hashed(token)
            words = _("The token of this device, shown this once: %(token)s. Type it on the device, at /gate/.")
            messages.warning(request, words % {"token": token})
        obj.save()

    @admin.action(description=_("Revoke, at once"))
    def revoke(self, request, queryset):
        count = actions.revoke_devices(devices=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, _("Devices revoked: %(count)s.") % {"count": count})


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    list_display = ["at", "verdict", "reason", "ticket", "device"]
    list_filter = ["verdict", "reason"]
    list_select_related = ["ticket", "device__gate__event"]
    search_fields = ["ticket__number"]
    fields = ["at", "device", "verdict", "reason", "ticket", "generation"]
    show_full_result_count = False
