"""Which device speaks: the gate's door, by its token."""

from control.models import Device
from control.tokens import hashed


def device_of(token: str) -> Device | None:
    """The device in force that has this token."""
    if not token:
        return None
    found = Device.objects.filter(token_hash=hashed(token), revoked_at=None)
    return found.select_related("gate__event__venue").first()
