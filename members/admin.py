from django.contrib import admin

from members.models import Consent, Member
from portal.admin import ReadOnlyAdmin


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Looked at: the list is the company's own."""

    list_display = ["__str__", "company", "email", "left_on"]
    list_select_related = ["company"]
    search_fields = ["search_key"]
    fields = ["company", "first_name", "last_name", "email", "left_on", "created_at"]


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["user", "given_at", "declined_at", "withdrawn_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
