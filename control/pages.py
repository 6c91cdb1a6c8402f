"""What the gate's pages have of their own: the device's cookie, and what its browser allows them."""

from csp.decorators import csp_update
from django.conf import settings
from django_permissions_policy.decorators import permissions_policy_override

# The token of the device that this browser is; only the server reads it.
COOKIE = "__Host-gate" if settings.SECURE_COOKIES else "gate"


def gate_page(view):
    """A page that may use the camera, keep the screen on and start a worker: no other page of the portal may."""
    allowed = permissions_policy_override({**settings.PERMISSIONS_POLICY, "camera": ["self"], "screen-wake-lock": ["self"]})
    return csp_update({"worker-src": ["'self'"]})(allowed(view))


def decoder_script(view):
    """The script of the worker that reads codes: it alone may compile WebAssembly, as a worker obeys its own response."""
    return csp_update({"script-src": ["'wasm-unsafe-eval'"]})(view)
