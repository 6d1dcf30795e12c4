"""A rule's own tests: made-up cases, each with what must come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecom_assets.backoffice.model import Kind, RuleRefused

MEMBERS = ("name", "given", "expected")


def check_form(examples: Sequence[Any]) -> None:
    """Refuse examples that say something else than name, given and expected.

    Raises:
        RuleRefused: names the example.
    """
    names = set()
    for place, example in enumerate(examples, 1):
        if not isinstance(example, Mapping) or set(example) != set(MEMBERS):
            raise RuleRefused(f"example {place} must have {', '.join(MEMBERS)} and nothing else")
        if not isinstance(example["name"], str) or not example["name"] or example["name"] in names:
            raise RuleRefused(f"example {place} needs a name of its own")
        for member in MEMBERS[1:]:
            if not isinstance(example[member], Mapping) or not example[member]:
                raise RuleRefused(f"example {example['name']}: {member} must be a table")
        names.add(example["name"])


def failures(kind: Kind, policy: object, examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the examples under a policy, a line each; only what is expected counts."""
    found = []
    for example in examples:
        try:
            outcome = kind.outcome(policy, example["given"])
        except (ValueError, LookupError, TypeError) as error:
            found.append(f"{example['name']}: {error}")
            continue
        found += [
            f"{example['name']}: {member} is {outcome.get(member)!r}, expected {wanted!r}"
            for member, wanted in example["expected"].items()
            if outcome.get(member) != wanted
        ]
    return found
