"""Forms of policies: what they say of settings is what the policies themselves hold to."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import jsonschema_rs
import pytest

from ecom_assets.ruling import KINDS
from ecom_assets.shared.policies import InvalidPolicy, policy_of, settings_of
from ecom_assets.shared.policy_forms import descriptions_of, schema_of

FIGURES = [
    (kind, name, part)
    for kind in KINDS.values()
    for name, part in schema_of(kind.form)["properties"].items()
    if part["type"] in ("number", "integer")
]
NAMED = [f"{kind.name}.{name}" for kind, name, _ in FIGURES]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_schema_takes_what_the_policy_takes(kind: Any) -> None:
    schema = schema_of(kind.form)
    jsonschema_rs.meta.validate(schema)
    settings = settings_of(kind.form())
    jsonschema_rs.validate(schema, settings)
    assert set(schema["required"]) == set(settings)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, {**settings, "other": 1})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_setting_is_described_with_its_default(kind: Any) -> None:
    for name, part in schema_of(kind.form)["properties"].items():
        assert len(part["description"]) > 10, name
        assert part["default"] == settings_of(kind.form())[name]
    assert set(descriptions_of(kind.form)) == {item.name for item in fields(kind.form)}


@pytest.mark.parametrize(("kind", "name", "part"), FIGURES, ids=NAMED)
def test_bounds_are_those_of_the_policy(kind: Any, name: str, part: dict[str, Any]) -> None:
    step = 1 if part["type"] == "integer" else 1e-9
    settings = settings_of(kind.form())
    beyond = [part["minimum"] - step] if "minimum" in part else []
    beyond += [part["maximum"] + step] if "maximum" in part else []
    beyond += [part[bound] for bound in ("exclusiveMinimum", "exclusiveMaximum") if bound in part]
    assert beyond
    assert part["x-unit"]
    for value in beyond:
        with pytest.raises(InvalidPolicy) as caught:
            policy_of(kind.name, kind.form, {**settings, name: value})
        assert caught.value.field in (name, "review_from")


def test_parts_of_a_list_have_forms_too() -> None:
    rule = schema_of(KINDS["fraud_rules"].form)["properties"]["rules"]["items"]
    assert "device_orders_1h" in rule["properties"]["feature"]["enum"]
    assert set(rule["required"]) == {"reason", "feature", "at_least", "points"}
    ranking = schema_of(KINDS["routing"].form)["properties"]["ranking"]["items"]
    assert "fewest_splits" in ranking["enum"]
    stands = schema_of(KINDS["reservation"].form)["properties"]["promise_stands"]
    assert stands["type"] == ["string", "null"]


@pytest.mark.parametrize(
    ("message", "field"),
    [("risk.review_from must not be above", "review_from"), ("risk must be a table", ""),
     ("fraud_rules.rules[1].points must be a number", "rules[1].points"),
     ("fraud_rules.rules: x is not a feature", "rules")],
)  # fmt: skip
def test_what_is_wrong_names_its_field(message: str, field: str) -> None:
    assert InvalidPolicy(message).field == field
