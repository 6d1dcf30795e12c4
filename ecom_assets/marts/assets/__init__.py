"""The marts as one asset function: dbt builds and tests what the run selected."""

from collections.abc import Iterator

import dagster as dg
import sqlalchemy as sa

from ecom_assets.marts.assets.specs import asset_specs, check_specs
from ecom_assets.marts.assets.summary import Event, with_summaries
from resources.database import DatabaseResource

_LOCK = 0x6D617274
"""Advisory lock that lets one refresh run at a time (the letters of "mart")."""

_ROLE = sa.text("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'analyst'")
_NO_ROLE = (
    "The server has no role analyst, so nobody but the platform reads the marts:"
    " an administrator must run CREATE ROLE analyst NOLOGIN."
)


@dg.multi_asset(name="marts", specs=asset_specs(), check_specs=check_specs(), can_subset=True)
def marts(context: dg.AssetExecutionContext, database: DatabaseResource) -> Iterator[Event]:
    """Build the staging views and the marts with dbt, test them, and show their sizes."""
    from resources.dbt import build

    # Two refreshes at once would rename each other's half-built tables.
    with database.begin() as lock:
        lock.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        built = build(context, database.url)
        with database.begin() as conn:
            events = with_summaries(conn, built.events, built.refused)
            if conn.execute(_ROLE).first() is None:
                context.log.warning(_NO_ROLE)
    context.log.info(f"dbt: {len(events)} models and tests in {built.seconds:.1f} s")
    yield from events
    if built.failures:
        raise dg.Failure("dbt failed: " + "; ".join(built.failures))


ASSETS = [marts]
