"""A replay in words, for the command line and the asset's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecom_assets.shared.money import to_text

_NAMES = {"allocation": "handling", "carrier_choice": "carriage", "risk_decision": "sales accepted"}
"""What the money of each kind of decision is called."""

_DECISIONS = {"allocation": "sites", "carrier_choice": "services", "risk_decision": "risk"}


def lines(replay: Mapping[str, Any]) -> list[str]:
    """The whole of a replay, a line per figure.

    Args:
        replay: a row of `decisions.replays`.
    """
    if replay["state"] != "finished":
        return [f"replay {replay['replay_id']} is unfinished: its run ended before it did"]
    found = replay["summary"]
    return [
        f"{_span(replay)}: {found['orders']:,} orders, {found['changed_orders']:,} of them"
        f" decided differently",
        f"changed: {'; '.join(settings(replay)) or 'nothing, the rules in force'}",
        *(_money(total) for total in found["totals"]),
        f"orders in several parcels: {_step(found, 'split')}",
        f"orders expected after their promise: {_step(found, 'late')}",
        f"orders accepted: {_step(found, 'accepted')}"
        f" ({found['newly_accepted']:,} newly, {found['no_longer_accepted']:,} no longer)",
    ]


def settings(replay: Mapping[str, Any]) -> list[str]:
    """What the replay was asked to change, a text per setting."""
    texts = [
        f"{section}.{name} = {', '.join(value) if isinstance(value, list) else value}"
        for section, given in replay["rules"].items()
        for name, value in given.items()
    ]
    model = [f"fraud model {replay['model_version']}"] if replay["model_version"] else []
    return [*texts, *model]


def most_changed(summary: Mapping[str, Any]) -> list[str]:
    """The orders that change most, a line per decision about them."""
    return [
        f"{row['order']}  {_DECISIONS[row['kind']]}: {row['before']} -> {row['after']}"
        f"  ({_change(row)})"
        for row in summary["most_changed"]
    ]


def _span(replay: Mapping[str, Any]) -> str:
    first, last = replay["from_at"], replay["to_at"]
    return f"replay {replay['replay_id']}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _step(found: Mapping[str, Any], name: str) -> str:
    before, after = found[f"{name}_before"], found[f"{name}_after"]
    return f"{before:,} -> {after:,} ({after - before:+,})"


def _money(total: Mapping[str, Any]) -> str:
    before, after = total["amount_before_minor"], total["amount_after_minor"]
    currency = total["currency"]
    return (
        f"{_NAMES[total['kind']]}: {to_text(before, currency)} -> {to_text(after, currency)}"
        f" ({_change(total)}), {total['changed']:,} of {total['orders']:,} orders differ"
    )


def _change(row: Mapping[str, Any]) -> str:
    change = row["amount_after_minor"] - row["amount_before_minor"]
    return ("+" if change > 0 else "") + to_text(change, row["currency"])
