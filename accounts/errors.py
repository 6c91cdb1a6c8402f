from django.core.exceptions import PermissionDenied


class MayNot(PermissionDenied):
    """A relay who sees the page but has not the right: 403."""
