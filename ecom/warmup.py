"""Import what the jobs need while PostgreSQL works on the import.

The definitions and great_expectations cost several seconds of one core to import; taking data in
costs several seconds of the server's. Side by side they cost one of the two.
"""

from __future__ import annotations

import threading
from importlib import import_module

_NEEDED_MEANWHILE = (
    "importers.engine", "importers.olist", "importers.sample", "importers.uci", "simulator.shop",
)  # fmt: skip
"""What the first thread uses while the second imports."""


def begin() -> threading.Thread:
    """Start to import in a thread; join it before anything else is imported.

    Two threads that import packages with circular imports may each see the other's half-made
    modules, so what is needed meanwhile is imported before.
    """
    for name in _NEEDED_MEANWHILE:
        import_module(name)
    thread = threading.Thread(target=_import, name="warm-up", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    from ecom_assets.shared import gx

    import_module("ecom_assets.definitions")
    gx.warm_up()
