from django.utils.functional import SimpleLazyObject

from accounts.models import Relay, Seller


def seller(request):
    """The seller, and what the signed-in person may act for: read only where a page shows them."""
    return {
        "seller": SimpleLazyObject(Seller.objects.current),
        "my_relays": SimpleLazyObject(lambda: relays_of(request.user)),
    }


def relays_of(user) -> list[Relay]:
    if not user.is_authenticated:
        return []
    return list(Relay.objects.authorised().filter(user=user).select_related("company").order_by("company__name"))
