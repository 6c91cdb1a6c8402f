import io

import qrcode
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from qrcode.image.svg import SvgPathFillImage

from control import actions
from control.models import Device, Gate, Scan, Search
from portal.admin import ReadOnlyAdmin


@admin.register(Gate)
class GateAdmin(admin.ModelAdmin):
    list_display = ["name", "event", "entrance", "admits_groups"]
    list_select_related = ["event"]
    search_fields = ["name", "event__name"]
    autocomplete_fields = ["event"]


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):
    list_display = ["name", "gate", "paired_at", "valid_until", "revoked_at", "pairing"]
    list_select_related = ["gate__event"]
    search_fields = ["name"]
    autocomplete_fields = ["gate"]
    fields = ["gate", "name", "may_scan", "may_search", "may_manage", "valid_from", "valid_until", "paired_at", "revoked_at"]
    readonly_fields = ["paired_at", "revoked_at"]
    actions = ["revoke"]

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("pairing"))
    def pairing(self, device):
        url = reverse("admin:control_device_pair", args=[device.pk])
        return "" if device.revoked_at else format_html('<a href="{}">{}</a>', url, _("Show a code"))

    def get_urls(self):
        return [path("<int:device_id>/pair/", self.admin_site.admin_view(self.pair), name="control_device_pair"), *super().get_urls()]

    def response_add(self, request, obj, post_url_continue=None):
        return redirect("admin:control_device_pair", obj.pk)

    def pair(self, request, device_id):
        """The code that pairs a device, as a picture for its camera and as letters."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        device = get_object_or_404(Device.objects.select_related("gate__event"), pk=device_id, revoked_at=None)
        context = {**self.admin_site.each_context(request), "device": device, "opts": self.model._meta, "title": device.name}
        if request.method == "POST":
            code = actions.ask_pairing(device=device.pk)
            address = f"{settings.PUBLIC_BASE_URL}{reverse('gate')}?code={code}"
            context |= {"code": code, "address": address, "picture": qr_svg(address)}
        return render(request, "admin/control/pair.html", context)

    @admin.action(description=_("Revoke, at once"), permissions=["change"])
    def revoke(self, request, queryset):
        count = actions.revoke_devices(devices=list(queryset.values_list("pk", flat=True)))
        self.message_user(request, _("Devices revoked: %(count)s.") % {"count": count})


def qr_svg(text: str) -> str:
    """A QR code as SVG, made here of nothing but squares."""
    picture = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathFillImage, box_size=10, border=4).save(picture)
    return mark_safe(picture.getvalue().decode().partition("?>")[2].strip())  # noqa: S308  (shapes alone: the text is drawn)


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    list_display = ["at", "verdict", "reason", "said", "ticket", "device", "by_hand", "undone_at"]
    list_filter = ["verdict", "reason", "said"]
    list_select_related = ["ticket", "device__gate__event"]
    search_fields = ["ticket__number"]
    fields = [
        "at", "device", "verdict", "reason", "ticket", "generation", "by_hand", "said", "said_at", "counter", "undone_at", "undone_by",
    ]  # fmt: skip
    show_full_result_count = False


@admin.register(Search)
class SearchAdmin(ReadOnlyAdmin):
    list_display = ["at", "device", "tickets"]
    list_select_related = ["device__gate__event"]
    show_full_result_count = False
