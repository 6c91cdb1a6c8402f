from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.models import User

A_MINUTE = timedelta(minutes=1)


class LastSeen:
    """Writes when a person was last seen, at most once a minute: the only write of a GET."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if user is not None and request.session.accessed and user.is_authenticated:
            at = timezone.now()
            if user.last_seen_at is None or user.last_seen_at < at - A_MINUTE:
                stale = Q(last_seen_at=None) | Q(last_seen_at__lt=at - A_MINUTE)
                User.objects.filter(stale, pk=user.pk).update(last_seen_at=at)
        return response
