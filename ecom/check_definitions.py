"""Load the definitions as Dagster would, and say what they hold (`make check`)."""

from __future__ import annotations

import os
import sys

import dagster as dg


def main() -> None:
    """Validate the definitions; an invalid one ends the process with its error."""
    os.environ.setdefault("ECOM_DATABASE_URL", "postgresql://nobody@127.0.0.1/none")
    from ecom_assets.definitions import defs

    dg.Definitions.validate_loadable(defs)
    repository = defs.get_repository_def()
    sys.stdout.write(
        f"{len(repository.asset_graph.get_all_asset_keys())} assets,"
        f" {len(repository.asset_graph.asset_check_keys)} checks,"
        f" {len(repository.get_all_jobs())} jobs, {len(repository.sensor_defs)} sensors,"
        f" {len(repository.schedule_defs)} schedules load\n"
    )


if __name__ == "__main__":
    main()
