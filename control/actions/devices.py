"""What staff do to devices, and a device to be one."""

from datetime import timedelta

from django.db import transaction

from control.errors import NoPairing
from control.models import Device
from control.tokens import canonical, hashed, new_pairing_code, new_token
from portal.clock import now

CODE_LASTS = timedelta(minutes=10)


@transaction.atomic(durable=True)
def ask_pairing(*, device: int) -> str:
    """A new code that pairs this device, once and for some minutes; an earlier one is dead."""
    code = new_pairing_code()
    found = Device.objects.select_for_update(no_key=True).get(pk=device)
    found.pairing_hash, found.pairing_until = hashed(canonical(code)), now() + CODE_LASTS
    found.save(update_fields=["pairing_hash", "pairing_until"])
    return code


@transaction.atomic(durable=True)
def pair(*, code: str) -> tuple[Device, str]:
    """The device that waits for this code, and its new token, shown this once; what was paired with it before is out.

    Its journal starts again: staff who pair a device know it.
    """
    found = Device.objects.select_for_update(no_key=True, of=("self",)).select_related("gate__event__venue")
    waiting = found.filter(pairing_hash=hashed(canonical(code)), revoked_at=None).first()
    at = now()
    if waiting is None or waiting.pairing_until is None or waiting.pairing_until < at:
        raise NoPairing
    token = new_token()
    waiting.token_hash, waiting.paired_at = hashed(token), at
    waiting.pairing_hash = waiting.pairing_until = waiting.journal = None
    waiting.save(update_fields=["token_hash", "paired_at", "pairing_hash", "pairing_until", "journal"])
    return waiting, token


@transaction.atomic(durable=True)
def revoke_devices(*, devices: list[int]) -> int:
    """Revoke devices at once. How many were in force."""
    found = Device.objects.filter(pk__in=devices, revoked_at=None).order_by("pk").select_for_update(no_key=True)
    return Device.objects.filter(pk__in=[device.pk for device in found]).update(revoked_at=now())
