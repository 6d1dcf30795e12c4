"""The composition root: the only module that knows every area, job, sensor and resource.

`workspace.yaml` loads `defs`; tests call `build_defs` with resources of their own. Each area offers
`assets.ASSETS` and may offer `expectations.EXPECTATIONS` and `checks.CHECKS`; `jobs.<area>` offers
`JOBS` and `SCHEDULES`, `sensors.<area>` offers `SENSORS`. Group, owner and tags are stamped here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import dagster as dg

from ecom_assets import connecting
from ecom_assets.areas import AREA_NAMES, AREAS
from ecom_assets.deciding import decide
from ecom_assets.replaying import replay, try_rule
from ecom_assets.shared.checks import build_checks
from resources.channels import ChannelsResource
from resources.database import DatabaseResource
from resources.history import HistoryResource
from resources.inbox import FolderResource
from resources.language import LanguageResource
from resources.mail import MailResource
from resources.vat import VatRegisterResource

_OWNERS = {area.name: area.owner for area in AREAS}


def _modules(pattern: str) -> list[ModuleType]:
    names = [pattern.format(area=area.name) for area in AREAS]
    # Asked first, and not caught: an import error inside an area's module must be heard.
    return [import_module(name) for name in names if find_spec(name) is not None]


def _collect(pattern: str, attribute: str) -> list[Any]:
    return [item for module in _modules(pattern) for item in getattr(module, attribute, ())]


def _stamp(spec: dg.AssetSpec) -> dg.AssetSpec:
    area = spec.key.path[0]
    if area not in AREA_NAMES:
        raise ValueError(f"{spec.key.to_user_string()}: no area named {area}; see areas.py")
    return spec.replace_attributes(
        group_name=area, owners=[_OWNERS[area]], tags={**spec.tags, "area": area}
    )


def default_resources() -> dict[str, Any]:
    """The resources of a deployment, configured by the environment."""
    return {
        "channels": ChannelsResource.of_environment(),
        "catalog_inbox": FolderResource.of_environment(),
        "database": DatabaseResource(url=dg.EnvVar("ECOM_DATABASE_URL")),
        "language": LanguageResource.of_environment(),
        "mail": MailResource.of_environment(),
        "decide": decide,
        "history": HistoryResource.of_environment(),
        "replay": replay,
        "sync_channel": connecting.sync,
        "try_rule": try_rule,
        "vat_register": VatRegisterResource.of_environment(),
    }


def build_defs(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions of the platform.

    Args:
        resources: resources that replace those of a deployment, by name.

    Returns:
        Assets and checks with group, owner and area tag, jobs, schedules and sensors.
    """
    assets = _collect("ecom_assets.{area}.assets", "ASSETS")
    expectations = _collect("ecom_assets.{area}.expectations", "EXPECTATIONS")
    checks = [*build_checks(expectations), *_collect("ecom_assets.{area}.checks", "CHECKS")]
    found = dg.Definitions(
        assets=dg.map_asset_specs(_stamp, assets),
        asset_checks=checks,
        jobs=_collect("jobs.{area}", "JOBS"),
        schedules=_collect("jobs.{area}", "SCHEDULES"),
        sensors=_collect("sensors.{area}", "SENSORS"),
        resources={**default_resources(), **(resources or {})},
        # A process per step would cost more than most steps take.
        executor=dg.in_process_executor,
    )
    # Dagster warns of a parameter that it passes itself when it binds resources to a sensor.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        found.get_repository_def()
    return found


defs = build_defs()
