"""Acts on thousands of rows."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_collected() -> Iterator[None]:
    """While all that is made is still needed: looking for what is not finds nothing, and takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
