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

from control import actions, exchange
from control.forms import ScansFileForm
from control.models import Device, Gate, Scan, Search
from portal.admin import ReadOnlyAdmin
from portal.download import CSV, download


def link(url, words):
    return format_html('<a href="{}">{}</a>', url, words)


@admin.register(Gate)
class GateAdmin(admin.ModelAdmin):
    list_display = ["name", "event", "entrance", "admits_groups", "codes_link"]
    list_select_related = ["event"]
    search_fields = ["name", "event__name"]
    autocomplete_fields = ["event"]

    @admin.display(description=_("other systems"))
    def codes_link(self, gate):
        return link(reverse("admin:control_gate_codes", args=[gate.pk]), _("Valid codes of the event"))

    def get_urls(self):
        return [path("<int:gate_id>/codes.csv", self.admin_site.admin_view(self.codes), name="control_gate_codes"), *super().get_urls()]

    def codes(self, request, gate_id):
        """The codes that open the event's gates, for another system; who may not run gates may not have them."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        event = get_object_or_404(Gate.objects.select_related("event"), pk=gate_id).event
        return download(exchange.codes(event), f"codes-{event.pk}.csv", CSV)


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):
    list_display = ["name", "gate", "paired_at", "valid_until", "revoked_at", "pairing", "others"]
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
        return "" if device.revoked_at else link(url, _("Show a code"))

    @admin.display(description=_("other systems"))
    def others(self, device):
        url = reverse("admin:control_device_scans", args=[device.pk])
        return "" if device.revoked_at else link(url, _("Bring in its scans"))

    def get_urls(self):
        views = (("pair", self.pair), ("scans", self.scans))
        own = [path(f"<int:device_id>/{name}/", self.admin_site.admin_view(view), name=f"control_device_{name}") for name, view in views]
        return [*own, *super().get_urls()]

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

    def scans(self, request, device_id):
        """What another system admitted at this device's gate: what the file says, then doing it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        device = get_object_or_404(Device.objects.select_related("gate__event__venue"), pk=device_id, revoked_at=None)
        form = ScansFileForm(request.POST, request.FILES) if request.method == "POST" else ScansFileForm()
        context = {**self.admin_site.each_context(request), "device": device, "opts": self.model._meta, "title": device.name, "form": form}
        if form.is_valid():
            content = form.cleaned_data["content"]
            try:
                rows = exchange.rows_of(content, device.gate.event.venue.zone)
            except exchange.NotScans as refusal:
                form.add_error("file", str(refusal))
            else:
                if "confirm" in request.POST:
                    return self.took_in(request, exchange.take_in(rows, device))
                context |= {"count": len(rows), "known": exchange.known(rows, device.gate.event), "text": exchange.as_text(rows)}
        return render(request, "admin/control/scans.html", context, status=422 if form.errors else 200)

    def took_in(self, request, scans):
        admitted = sum(scan.verdict == Scan.Verdict.ADMITTED for scan in scans)
        said = _("Admitted: %(admitted)d. Refused, and kept with their reason: %(refused)d.")
        self.message_user(request, said % {"admitted": admitted, "refused": len(scans) - admitted})
        return redirect("admin:control_scan_changelist")

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
