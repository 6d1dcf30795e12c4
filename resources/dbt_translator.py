"""How dbt's models and tests are named as Dagster's assets and checks.

Imports dagster-dbt, which takes seconds; only `resources.dbt` imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

_SENTENCES = {
    "unique": "No two rows have the same {column_name}.",
    "not_null": "{column_name} is never empty.",
    "accepted_values": "{column_name} is one of {values}.",
    "relationships": "{column_name} exists in {to} as {field}.",
    "primary_key": "No two rows have the same {columns}, and none is empty.",
    "never_null": "{columns} are never empty.",
}
"""What a generic test holds, by its name."""


class MartTranslator(DagsterDbtTranslator):
    """Models become `marts/<model>`; a source becomes the asset of its schema and table."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The key of a model, or of the asset that writes a source."""
        if dbt_resource_props["resource_type"] == "model":
            return dg.AssetKey(["marts", dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The description as written, without the SQL."""
        return str(dbt_resource_props["description"])

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """The check of a test, described in a sentence."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        node = manifest["nodes"][unique_id]
        return spec and spec._replace(description=node["description"] or _sentence(node))


def _sentence(test: Mapping[str, Any]) -> str:
    generic = test["test_metadata"]
    given = {
        name: ", ".join(value) if isinstance(value, list) else value
        for name, value in generic["kwargs"].items()
    }
    return _SENTENCES[generic["name"]].format(**given)
