"""The order's timeline says what its effects came to, in the transaction that moves them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ecom_assets.shared.journal import EVENT_COLUMNS, record_events
from ecom_assets.shared.outbox import EffectState

_EVENTS = {
    EffectState.CONFIRMED: "effect_confirmed",
    EffectState.FAILED: "effect_failed",
    EffectState.UNKNOWN: "effect_unknown",
}
# The moment is the outside world's, not one that a rule decided: effects happen when they happen.
_TOLD = sa.text("""
    SELECT order_id, clock_timestamp() AS happened_at, jsonb_strip_nulls(jsonb_build_object(
        'kind', kind, 'effect_id', effect_id, 'template', payload ->> 'template',
        'attempts', attempts)) AS detail
    FROM effects.outbox
    WHERE effect_id = ANY (:effect_ids) AND order_id IS NOT NULL
    ORDER BY effect_id
""").columns(*(sa.column(name) for name in EVENT_COLUMNS))


def tell(conn: sa.Connection, state: EffectState, effect_ids: Sequence[int], run: str) -> None:
    """Record the event of effects that came to a state; back to planned is no news."""
    if effect_ids and state in _EVENTS:
        record_events(conn, _EVENTS[state], _TOLD.bindparams(effect_ids=list(effect_ids)), run)
