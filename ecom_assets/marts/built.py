"""What one run of dbt did, in Dagster's terms; free of dbt, so that definitions may import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

Event = (
    dg.Output[None]
    | dg.AssetMaterialization
    | dg.AssetObservation
    | dg.AssetCheckResult
    | dg.AssetCheckEvaluation
)
"""What dagster-dbt makes of an event of dbt."""


@dataclass(frozen=True, slots=True)
class Built:
    """What one `dbt build` did.

    Attributes:
        events: Dagster events, in the order dbt finished.
        failures: one line per model that could not be built and per test that failed.
        refused: for each test that failed, the SQL that finds the rows it refuses.
        seconds: how long dbt took, without parsing.
    """

    events: list[Event]
    failures: list[str]
    refused: Mapping[str, str]
    seconds: float
