"""What the admin pages of every app share."""

from allauth.account.decorators import reauthentication_required
from django.contrib import admin
from django.utils.decorators import method_decorator

# What changes the rights of staff or their second factors asks again who is there: a browser left open is not enough.
asks_again = method_decorator(reauthentication_required(allow_get=True))


def asks_again_to(*names: str):
    """The same for these actions of a list."""
    return method_decorator(reauthentication_required(allow_get=True, enabled=lambda request: request.POST.get("action") in names))


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looked at, never edited: a correction is an action."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
