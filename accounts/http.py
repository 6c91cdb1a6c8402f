from django.http import HttpRequest

from accounts.models import User


class SignedInRequest(HttpRequest):
    """The request of a page that is not public: Django's login middleware has let a person through."""

    user: User
