"""The marts as Dagster sees them before dbt is imported: assets and checks from `models.json`."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

MODELS = Path(__file__).parents[1] / "models.json"
"""What the dbt project makes; written by `describe`."""


def models() -> list[dict[str, Any]]:
    """What the dbt project makes, one entry per model."""
    found: list[dict[str, Any]] = json.loads(MODELS.read_text(encoding="utf-8"))
    return found


def asset_specs() -> list[dg.AssetSpec]:
    """One asset per model; staging views and marts alike."""
    return [_asset(model) for model in models()]


def check_specs() -> list[dg.AssetCheckSpec]:
    """One blocking check per test of the models; dbt builds nothing on a model that fails one."""
    return [_check(model, test) for model in models() for test in model["checks"]]


def key(name: str) -> dg.AssetKey:
    """The asset key of a model."""
    return dg.AssetKey(["marts", name])


def _asset(model: dict[str, Any]) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(name, type="", description=description)
        for name, description in model["columns"].items()
    ]
    return dg.AssetSpec(
        key=key(model["name"]),
        deps=[dg.AssetKey.from_user_string(dep) for dep in model["deps"]],
        description=model["description"],
        code_version=model["code_version"],
        kinds={"dbt", "postgres"},
        # dbt leaves out what stands on a model that failed
        skippable=True,
        metadata={
            "dagster_dbt/unique_id": model["unique_id"],
            "dagster/table_name": f"{model['schema']}.{model['name']}",
            "dagster/column_schema": dg.TableSchema(columns),
        },
    )


def _check(model: dict[str, Any], test: dict[str, Any]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=test["name"],
        asset=key(model["name"]),
        description=test["description"],
        additional_deps=[dg.AssetKey.from_user_string(dep) for dep in test["deps"]],
        blocking=True,
        metadata={"dagster_dbt/unique_id": test["unique_id"]},
    )
