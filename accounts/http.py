"""Where every view of a relay starts: who she is for the company in the address, and what she may do there; and of staff."""

from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.admin_site import has_second_factor
from accounts.errors import MayNot
from accounts.models import Relay, User


class SignedInRequest(HttpRequest):
    """The request of a page that is not public: Django's login middleware has let a person through."""

    user: User


def acting(request: HttpRequest, company_id) -> Relay:
    """The relay, or 404: what is not hers answers like what does not exist."""
    return Relay.objects.acting(request.user, company_id)


def counting(request: HttpRequest, company_id) -> Relay:
    """The relay of a page of amounts and quantities, which names no member: it is there for the right to accounts alone, too."""
    return Relay.objects.counting(request.user, company_id)


def distributing(request: HttpRequest, company_id) -> Relay:
    """The relay who has the right to distribute: 403 for one who only looks."""
    relay = acting(request, company_id)
    if not relay.may_distribute:
        raise MayNot
    return relay


def keeping(request: HttpRequest, company_id) -> Relay:
    """The relay who keeps the company's list of members: 403 for one who has no right to names."""
    relay = acting(request, company_id)
    if not relay.may_keep_members:
        raise MayNot
    return relay


def reading_accounts(request: HttpRequest, company_id) -> Relay:
    """The relay who may see amounts and quantities: by the right to accounts, or because she distributes."""
    relay = counting(request, company_id)
    if not (relay.may_see_accounts or relay.may_distribute):
        raise MayNot
    return relay


def for_staff(permission: str):
    """Staff who have this right, behind their second factor. For anybody else the page does not exist."""

    def guarded(view):
        @wraps(view)
        def judged(request: SignedInRequest, *args, **kwargs) -> HttpResponse:
            if not request.user.is_staff:
                raise Http404
            if not has_second_factor(request.user):
                return redirect("mfa_index")
            if not request.user.has_perm(permission):
                raise MayNot
            return view(request, *args, **kwargs)

        return judged

    return guarded
