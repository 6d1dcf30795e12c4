"""Plans, lines and feeds of prices in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecom_assets.shared.money import to_text


def plan_text(head: Mapping[str, Any], counts: Mapping[str, Any] | None = None) -> list[str]:
    """A plan: its state, what it moves, what its checks found, counts by rule and limit."""
    lines = [
        f"plan {head['plan_id']} ({head['kind']}, {head['channel']} {head['currency']}"
        f" {head['customer_group']}): {head['state']}; {head['lines']:,} lines,"
        f" {head['moved']:,} move, {head['held']:,} held; asked by {head['requested_by']}"
        + (f", approved by {head['approved_by']}" if head["approved_by"] else "")
    ]
    lines += [
        f"  {item['effect']}: {item['finding']}, {item['lines']:,} lines"
        for item in head["findings"]
        if item["lines"]
    ]
    for what, found in (counts or {}).items():
        told = ", ".join(f"{name} {number:,}" for name, number in found.items())
        lines += [f"  by {what}: {told}"] if told else []
    return lines


def line_text(line: Mapping[str, Any], currency: str) -> str:
    """A line: what it was, what it becomes, by which rule, what bound it and why."""

    def money(amount: int | None) -> str:
        return "none" if amount is None else to_text(amount, currency)

    units = f" from {line['min_quantity']} units" if line["min_quantity"] > 1 else ""
    text = f"  {line['sku']}{units}: {line['outcome']}"
    text += f" {money(line['old_minor'])} ->" if line["old_minor"] is not None else ""
    text += f" {money(line['new_minor'])}"
    parts = [f"by {line['rule']}" if line["rule"] else ""]
    if line.get("proposed_minor") not in (None, line["new_minor"]):
        parts.append(f"proposed {money(line['proposed_minor'])}")
    parts += [f"bound by {', '.join(line['bound'])}" if line["bound"] else ""]
    parts += [f"shown beside {money(line['reference_minor'])}" if line["reference_minor"] else ""]
    parts += [f"because {', '.join(line['reasons'])}" if line["reasons"] else ""]
    parts += ["asks for approval" if line.get("is_approval_needed") else ""]
    told = "; ".join(part for part in parts if part)
    return f"{text} ({told})" if told else text


def feed_text(report: Mapping[str, Any]) -> Sequence[str]:
    """What became of a feed, and the plans made of it."""
    lines = []
    for kind in ("costs", "offers", "prices"):
        if taken := report.get(kind):
            state = f"HELD BACK, {taken['reason']}" if taken["state"] == "held" else "taken"
            state = "taken before, nothing changed" if taken["is_repeat"] else state
            lines.append(
                f"{kind}: {state}: {taken['entries']:,} entries = {taken['accepted']:,} accepted"
                f" + {taken['unchanged']:,} unchanged + {taken['flagged']:,} flagged"
                f" + {taken['parked']:,} parked"
            )
    if unused := report.get("unused_columns"):
        lines.append(f"columns not used: {', '.join(unused)}")
    for head in report.get("plans", ()):
        lines += plan_text(head)
    return lines


def backtest_text(found: Mapping[str, Any]) -> Sequence[str]:
    """A backtest: what would have moved, and the money."""

    def money(name: str) -> str:
        return "unknown" if found[name] is None else to_text(found[name], found["currency"])

    lines = [
        f"{found['moments']} moments, {found['moved']:,} prices would have been others, of which"
        f" {found['units']:,} units were sold",
        f"change of margin had the same units been sold: {money('margin_change_minor')}",
    ]
    if found["expected_change_minor"] is not None:
        lines.append(
            f"with the demand that elasticities expect: {money('expected_change_minor')}, 95% from"
            f" {money('low_change_minor')} to {money('high_change_minor')}"
        )
    for what in ("rules", "limits"):
        told = ", ".join(f"{name} {n:,}" for name, n in found["summary"][what].items() if n)
        lines += [f"by {what}: {told}"] if told else []
    return lines
