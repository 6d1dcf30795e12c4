"""Writes `models.json`: what the dbt project makes, as far as Dagster's definitions need it.

Run it after a change of the project: `python -m ecom_assets.marts.describe`. A test holds the file
equal to what dbt reads now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

MODELS = Path(__file__).with_name("models.json")
"""The file; it is read by `specs`."""

_NOWHERE = "postgresql://localhost/nowhere"
"""dbt parses without a connection but wants an address."""


def described() -> list[dict[str, Any]]:
    """What the dbt project makes now, one entry per model, by name."""
    from dagster_dbt.asset_utils import build_dbt_specs

    from ecom_assets.marts.runner import parse
    from ecom_assets.marts.translator import MartTranslator

    manifest = parse(_NOWHERE).writable_manifest().to_dict(omit_none=False)
    assets, checks = build_dbt_specs(
        translator=MartTranslator(),
        manifest=manifest,
        select="fqn:*",
        exclude="",
        selector="",
        io_manager_key=None,
        project=None,
    )
    entries = [_entry(manifest, asset, checks) for asset in assets]
    return sorted(entries, key=lambda entry: str(entry["name"]))


def _entry(manifest: Mapping[str, Any], asset: dg.AssetSpec, checks: Any) -> dict[str, object]:
    unique_id = asset.metadata["dagster_dbt/unique_id"]
    node = manifest["nodes"][unique_id]
    own = [check for check in checks if check.asset_key == asset.key]
    return {
        "name": node["name"],
        "schema": node["schema"],
        "unique_id": unique_id,
        "description": asset.description,
        "code_version": asset.code_version,
        "deps": sorted(dep.asset_key.to_user_string() for dep in asset.deps),
        "columns": {name: column["description"] for name, column in node["columns"].items()},
        "checks": [_check(check) for check in sorted(own, key=lambda check: check.name)],
    }


def _check(check: dg.AssetCheckSpec) -> dict[str, object]:
    return {
        "name": check.name,
        "unique_id": check.metadata["dagster_dbt/unique_id"],
        "description": check.description,
        "deps": sorted(dep.asset_key.to_user_string() for dep in check.additional_deps),
    }


def main() -> None:
    """Write the file."""
    MODELS.write_text(json.dumps(described(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
