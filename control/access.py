"""Which device speaks: the gate's door, by its token."""

from control.models import Device
from control.tokens import hashed


def device_of(token: str, *, telling: bool = False) -> Device | None:
    """The device in force that has this token; `telling`: also one whose time is over, for what it scanned before."""
    if not token:
        return None
    devices = Device.objects.may_still_tell() if telling else Device.objects.in_force()
    return devices.filter(token_hash=hashed(token)).select_related("gate__event__venue").first()
