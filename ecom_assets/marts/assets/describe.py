"""Writes `models.json`: what the dbt project makes, as far as Dagster's definitions need it.

Run it after a change of the project: `python -m ecom_assets.marts.assets.describe`. A test holds
the file equal to what dbt reads now.
"""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from ecom_assets.marts.assets.specs import MODELS

_NOWHERE = "postgresql://localhost/nowhere"
"""dbt parses without a connection but wants an address."""


def described() -> list[dict[str, Any]]:
    """What the dbt project makes now, one entry per model, by name."""
    from resources.dbt import described as described_by_dbt

    nodes, assets, checks = described_by_dbt(_NOWHERE)
    entries = [
        _entry(nodes, asset, [check for check in checks if check.asset_key == asset.key])
        for asset in assets
    ]
    return sorted(entries, key=lambda entry: str(entry["name"]))


def _entry(
    nodes: Mapping[str, Any], asset: dg.AssetSpec, checks: list[dg.AssetCheckSpec]
) -> dict[str, Any]:
    unique_id = asset.metadata["dagster_dbt/unique_id"]
    node = nodes[unique_id]
    return {
        "name": node["name"],
        "schema": node["schema"],
        "unique_id": unique_id,
        "description": asset.description,
        "code_version": asset.code_version,
        "deps": sorted(dep.asset_key.to_user_string() for dep in asset.deps),
        "columns": {name: column["description"] for name, column in node["columns"].items()},
        "checks": [_check(check) for check in sorted(checks, key=lambda check: check.name)],
    }


def _check(check: dg.AssetCheckSpec) -> dict[str, Any]:
    return {
        "name": check.name,
        "unique_id": (check.metadata or {})["dagster_dbt/unique_id"],
        "description": check.description,
        "deps": sorted(dep.asset_key.to_user_string() for dep in check.additional_deps),
    }


def main() -> None:
    """Write the file."""
    MODELS.write_text(json.dumps(described(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
