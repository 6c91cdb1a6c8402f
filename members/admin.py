from django.contrib import admin

from members import actions
from members.models import Access, Consent, Member
from portal.admin import ReadOnlyAdmin


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Looked at: the list is the company's own. Opening a record leaves a trace, which its owner is shown."""

    list_display = ["__str__", "company", "email", "left_on"]
    list_select_related = ["company"]
    search_fields = ["search_key"]
    fields = ["company", "first_name", "last_name", "email", "left_on", "created_at"]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The one GET that writes, besides when a person was last seen: the look itself is what is written."""
        answer = super().change_view(request, object_id, form_url, extra_context)
        if request.method == "GET" and answer.status_code == 200:
            actions.note_access(member=object_id, by=request.user)
        return answer


@admin.register(Access)
class AccessAdmin(ReadOnlyAdmin):
    list_display = ["at", "by", "member"]
    list_select_related = ["by", "member"]
    search_fields = ["by__email", "member__search_key"]
    fields = ["at", "by", "member"]


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ["user", "given_at", "declined_at", "withdrawn_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
