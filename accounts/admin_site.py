from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _


class RelaisAdminSite(AdminSite):
    """Django's admin behind allauth's login and a second factor."""

    site_title = _("Relais, staff")
    index_title = _("What do you want to do?")

    def has_permission(self, request):
        return super().has_permission(request) and has_second_factor(request.user)

    def login(self, request, extra_context=None):
        """allauth's login has the limits and the second factor: Django's own is never shown."""
        user = request.user
        wanted = request.GET.get("next", "")
        if self.has_permission(request):
            return redirect(wanted if url_has_allowed_host_and_scheme(wanted, None) else "admin:index")
        if user.is_authenticated and user.is_staff and not has_second_factor(user):
            return redirect("mfa_index")
        if user.is_authenticated:
            return redirect("home")
        return redirect_to_login(wanted or reverse("admin:index"), reverse("account_request_login_code"))


def has_second_factor(user) -> bool:
    return not settings.STAFF_NEEDS_SECOND_FACTOR or is_mfa_enabled(user)
