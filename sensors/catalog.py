"""Catalogue files were dropped into the folder: plan each of them once."""

import json

import dagster as dg

from ecom_assets.catalog.store.plans import plan_of_digest
from jobs.catalog import CATALOG_PLAN
from resources.database import DatabaseResource
from resources.inbox import Dropped, FolderResource, Seen

POLL_SECONDS = 15
"""How often the folder is looked at; a file must look the same at two looks to be whole."""

MOST_FILES = 10
"""Files planned after one look; the next look takes more."""


@dg.sensor(
    job=CATALOG_PLAN,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Plans every file that is dropped into the folder (ECOM_CATALOG_FOLDER), once by"
    " its content and only when it is no longer written to. Nothing is applied by itself.",
)
def catalog_files_arrived(
    context: dg.SensorEvaluationContext,
    database: DatabaseResource,
    catalog_inbox: FolderResource,
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run per file that is whole and was not planned before.

    The cursor holds the files as they were seen: what is there, and what of it was asked for.
    """
    if not catalog_inbox.folder:
        return dg.SkipReason("no folder is watched (ECOM_CATALOG_FOLDER)")
    try:
        now = catalog_inbox.files()
    except OSError as error:
        return dg.SkipReason(f"degraded: the folder cannot be read: {error.strerror}")
    before = _cursor(context.cursor)
    settled = {name: seen for name, seen in now.items() if before.get(name, ((), ""))[0] == seen}
    asked = {name: before[name][1] for name in settled}
    requests: list[dg.RunRequest] = []
    for name in [name for name in settled if not asked[name]][:MOST_FILES]:
        found = catalog_inbox.read(name, settled[name])
        if found is None:
            continue
        asked[name] = found.digest
        with database.begin() as conn:
            is_known = plan_of_digest(conn, found.digest) is not None
        if not is_known:
            requests.append(_request(found, catalog_inbox.currency))
    cursor = _told(now, asked)
    if not requests:
        waiting = len(now) - len([name for name in now if asked.get(name)])
        reason = f"{len(now)} files, {waiting} of them new or still written to"
        return dg.SensorResult(skip_reason=reason, cursor=cursor)
    return dg.SensorResult(run_requests=requests, cursor=cursor)


def _request(found: Dropped, currency: str) -> dg.RunRequest:
    config = {"path": str(found.path), "digest": found.digest, "currency": currency}
    # The key makes Dagster drop a second request for the same content, whatever the file's name.
    return dg.RunRequest(
        run_key=found.digest,
        run_config={"ops": {"catalog__import_plans": {"config": config}}},
        tags={"ecom/file": found.path.name[:60]},
    )


def _cursor(text: str | None) -> dict[str, tuple[tuple[int, int], str]]:
    try:
        known = json.loads(text or "{}")
        return {name: ((size, at), asked) for name, (size, at, asked) in known.items()}
    except (ValueError, TypeError, AttributeError):
        # Somebody reset it by hand: every file is looked at again, none is planned twice.
        return {}


def _told(now: Seen, asked: dict[str, str]) -> str:
    return json.dumps({name: [*seen, asked.get(name, "")] for name, seen in now.items()})


SENSORS = [catalog_files_arrived]
