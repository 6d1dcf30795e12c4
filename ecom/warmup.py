"""Import what the jobs need while PostgreSQL works on the import.

The definitions and great_expectations cost several seconds of one core to import; taking data
in costs several seconds of the server's. Side by side they cost one of the two.
"""

from __future__ import annotations

import threading


def begin() -> threading.Thread:
    """Start to import in a thread; whoever needs a module earlier waits for it as usual."""
    thread = threading.Thread(target=_import, name="warm-up", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    from importlib import import_module

    from ecom_assets.shared import gx

    import_module("ecom_assets.definitions")
    gx.warm_up()
