"""How often a device may ask: counted in each web process, so that a scan pays nothing for it.

A person scans once or twice a second. What this stops is a device gone wrong; behind n processes it may ask n times as much.
"""

import math
import threading
import time

from control.errors import TooManyRequests

A_SECOND = 20.0  # what a device may spend a second, for long
AT_ONCE = 120.0  # and what it may have saved
A_GUESS = 20.0  # what a pairing code costs the address that tries it: six at once, then one a second
REMEMBERED = 20_000

left: dict[object, tuple[float, float]] = {}
lock = threading.Lock()


def spend(who: object, cost: float = 1) -> None:
    """Count one request, or what weighs as much as several; TooManyRequests for whoever has spent all."""
    at = time.monotonic()
    with lock:
        if len(left) > REMEMBERED:
            left.clear()
        saved, since = left.get(who, (AT_ONCE, at))
        saved = min(AT_ONCE, saved + (at - since) * A_SECOND)
        if enough := saved >= cost:
            saved -= cost
        left[who] = saved, at
    if not enough:
        raise TooManyRequests(math.ceil((cost - saved) / A_SECOND))
