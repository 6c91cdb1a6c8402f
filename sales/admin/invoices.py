"""Invoices, and the journal for the accountant."""

from datetime import timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.admin import ReadOnlyAdmin
from portal.download import CSV, download
from portal.sheets import csv_text
from portal.templatetags.words import euros
from sales.admin.options import month_of, next_month
from sales.admin.orders import link_to
from sales.documents import invoice_pdf
from sales.journal import journal
from sales.models import Entry, Invoice, Posting


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "kind", "issued_on", "due_on", "shown_total", "document"]
    list_filter = ["kind"]
    list_select_related = ["account__company"]
    search_fields = ["number", "account__company__name"]
    date_hierarchy = "issued_on"
    fields = ["name", "account", "kind", "issued_on", "due_on", "shown_total", "document"]

    @admin.display(description=_("total with VAT"), ordering="total")
    def shown_total(self, invoice):
        return euros(invoice.total)

    @admin.display(description=_("document"))
    def document(self, invoice):
        return link_to("admin:sales_invoice_pdf", invoice.pk, "PDF")

    def get_urls(self):
        return [path("<int:invoice_id>/invoice.pdf", self.admin_site.admin_view(self.pdf), name="sales_invoice_pdf"), *super().get_urls()]

    def pdf(self, request, invoice_id):
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponse(invoice_pdf(get_object_or_404(Invoice, pk=invoice_id)), content_type="application/pdf")


class EntryInline(admin.TabularInline):
    model = Entry
    extra = 0
    can_delete = False
    fields = readonly_fields = ["ledger", "vat_rate", "amount", "currency"]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    """The ledger, looked at; a month of it as CSV for the accountant."""

    list_display = ["at", "account", "kind", "order", "payment", "shown_amount", "by"]
    list_filter = ["kind"]
    list_select_related = ["account__company", "order", "payment", "by"]
    date_hierarchy = "at"
    search_fields = ["account__company__name", "order__number"]
    inlines = [EntryInline]
    change_list_template = "admin/sales/postings.html"

    def get_queryset(self, request):
        return Posting.objects.with_amount().order_by("-pk")

    @admin.display(description=_("amount"))
    def shown_amount(self, posting):
        return euros(posting.amount)

    def get_urls(self):
        return [path("journal.csv", self.admin_site.admin_view(self.journal), name="sales_posting_journal"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        last_month = timezone.localdate().replace(day=1) - timedelta(days=1)
        return super().changelist_view(request, {"last_month": last_month} | (extra_context or {}))

    def journal(self, request):
        """A month of entries; the present one unless ?month=2026-10 says another."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        month = month_of(request.GET.get("month", ""))
        text = csv_text(journal(month, next_month(month) - timedelta(days=1)))
        return download(text, f"journal-{month:%Y-%m}.csv", CSV)
