"""SQL of the effects area: claims, what became of attempts, doubts, figures.

Locking order: rows of `effects.outbox` one statement at a time, then `effects.attempts`, then the
timeline. Times are the database's, because several machines may send and their clocks differ; they
say when to try what, never what was decided.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from ecom_assets.effects.store.attempts import abandon, claim, settle
from ecom_assets.effects.store.doubts import NotInDoubt, answer, doubts, postpone, resolve
from ecom_assets.effects.store.figures import Waiting, listed, waiting
from ecom_assets.effects.store.presence import present

Begin = Callable[[], AbstractContextManager[sa.Connection]]
"""Opens a transaction that commits on success (`DatabaseResource.begin`)."""

__all__ = [
    "Begin",
    "NotInDoubt",
    "Waiting",
    "abandon",
    "answer",
    "claim",
    "doubts",
    "listed",
    "postpone",
    "present",
    "resolve",
    "settle",
    "waiting",
]
