"""Memory that stays: a long computation over much data that nobody lets go of meanwhile.

Python looks through everything that may refer to itself each time enough of it was made. What
was there before a computation is still there after it, so it is left out of that for as long.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def all_of_it_stays() -> Iterator[None]:
    """Within it what exists already is not looked through for garbage; what is made meanwhile
    is, as always. Within itself it does nothing."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
