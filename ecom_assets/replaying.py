"""Replays, composed: the areas' rules applied anew to a past range, in the order of the path.

Beside `definitions` the only module that knows several areas: areas do not import each other, so
what takes all of them is put together here and handed to the asset as a resource. Each area decides
by the statements it decides live orders with; they meet in the tables of `shared.replays`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ecom_assets.decisions import store as decisions
from ecom_assets.decisions.model import BadRequest, Request
from ecom_assets.decisions.rules import changed
from ecom_assets.fraud import store as fraud
from ecom_assets.fraud.rules import FraudPolicy
from ecom_assets.inventory import store as inventory
from ecom_assets.payments import store as payments
from ecom_assets.payments.rules import PaymentPolicy
from ecom_assets.risk import store as risk
from ecom_assets.risk.rules import POLICY as RISK
from ecom_assets.shared import replays
from ecom_assets.shared.policies import InvalidPolicy, policy_of, settings_of
from ecom_assets.shared.versions import Version, in_force_between
from ecom_assets.transport import store as transport
from ecom_assets.transport.policy import POLICY as CARRIER
from ecom_assets.warehouse import store as warehouse
from ecom_assets.warehouse.rules import ROUTING
from resources.database import DatabaseResource

IN_FORCE: Mapping[str, Any] = {"risk": RISK, "routing": ROUTING, "carrier": CARRIER}
"""What the first versions say, by the section that changes them; a section is a kind of rule."""

FORMS: Mapping[str, type[Any]] = {"fraud_rules": FraudPolicy, "payment_match": PaymentPolicy}
"""Further kinds that a replay can try: given whole, and the recorded figures hold without them."""

Progress = Callable[[str], object]

# Sorts and joins of a whole range; the server's default is meant for many small statements.
_MEMORY = sa.text("SELECT set_config('work_mem', '64MB', true)")


def policies(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The policies of the first versions with the settings of a document.

    Raises:
        BadRequest: names what is wrong in the document.
    """
    whole(rules)
    return changed(IN_FORCE, {name: rules[name] for name in rules if name not in FORMS})


def whole(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The policies of a document that are given whole.

    Raises:
        BadRequest: names what is wrong in the document.
    """
    try:
        return {name: policy_of(name, FORMS[name], rules[name]) for name in FORMS if name in rules}
    except InvalidPolicy as error:
        raise BadRequest(str(error)) from error


def versions_of(
    conn: sa.Connection, rules: Mapping[str, Any], from_at: datetime, to_at: datetime
) -> dict[str, list[Version[Any]]]:
    """What each section is decided by: the versions of the time, or one that a document changes.

    Args:
        conn: connection to read with.
        rules: settings that differ from those in force at the end of the range.
        from_at: first moment of the range.
        to_at: its end, excluded.

    Raises:
        BadRequest: names what is wrong in the document.
    """
    found = {
        section: in_force_between(conn, section, type(policy), from_at, to_at)
        for section, policy in IN_FORCE.items()
    }
    last = {section: versions[-1].policy for section, versions in found.items()}
    settings = {name: rules[name] for name in rules if name not in FORMS}
    for section, policy in changed(last, settings).items():
        if rules.get(section):
            found[section] = [Version("replay", policy)]
    return found


def replay(database: DatabaseResource, request: Request, run: str, progress: Progress) -> int:
    """Decide a past range of orders anew and write what would have been different.

    Everything is read from one snapshot; only `decisions.replays` and `decisions.replay_outcomes`
    are written, the outcomes in one transaction. A replay that dies stays on record as unfinished.

    Args:
        database: the shop's database.
        request: range and rules.
        run: Dagster run id.
        progress: told what is done, in short lines.

    Returns:
        The replay's id.

    Raises:
        BadRequest: the rules cannot be read, or there is no such model.
    """
    policies(request.rules)
    if request.model_version and "fraud_rules" in request.rules:
        raise BadRequest("give other fraud rules or another fraud model, not both")
    with database.begin() as conn:
        _refuse_unknown_model(conn, request.model_version)
        chosen = versions_of(conn, request.rules, request.from_at, request.to_at)
        settings = {section: asdict(found[-1].policy) for section, found in chosen.items()}
        settings |= {name: settings_of(policy) for name, policy in whole(request.rules).items()}
        replay_id = decisions.open_replay(conn, request, settings, run)
    snapshot = database.engine.execution_options(isolation_level="REPEATABLE READ")
    with snapshot.begin() as conn:
        conn.execute(_MEMORY)
        replays.open_tables(conn)
        _decide(conn, request, chosen, progress)
        progress("comparing")
        decisions.compare(conn, replay_id)
        decisions.finish_replay(conn, replay_id, decisions.summarise(conn, replay_id))
    return replay_id


def _decide_whole(conn: sa.Connection, given: Mapping[str, Any], progress: Progress) -> None:
    if "fraud_rules" in given:
        fraud.score_by_rules_anew(conn, given["fraud_rules"], progress)
    if "payment_match" in given:
        payments.match_anew(conn, given["payment_match"])
    if given:
        replays.analyze(conn)


def _refuse_unknown_model(conn: sa.Connection, version: str | None) -> None:
    known = fraud.model_versions(conn) if version else []
    if version and version not in known:
        listed = ", ".join(known) or "none, no model was trained yet"
        raise BadRequest(f"there is no fraud model {version}; known are {listed}")


def _decide(
    conn: sa.Connection, request: Request, chosen: Mapping[str, Any], progress: Progress
) -> None:
    count = decisions.fill_range(conn, request.from_at, request.to_at)
    progress(f"range: {count:,} orders")
    replays.analyze(conn)
    if request.model_version:
        fraud.score_anew(conn, request.model_version, progress)
    _decide_whole(conn, whole(request.rules), progress)
    risk.decide_anew(conn, chosen["risk"])
    progress(f"risk: {count:,} orders")
    replays.analyze(conn)
    # Only other orders can change who is promised what; sites and carriers come after the promise.
    if decisions.fill_orders(conn):
        decisions.keep_promises(conn)
    else:
        inventory.promise_anew(conn, request.from_at, progress)
    replays.analyze(conn)
    warehouse.allocate_anew(conn, request.from_at, chosen["routing"], progress)
    replays.analyze(conn)
    transport.choose_anew(conn, chosen["carrier"], progress)
    replays.analyze(conn)


def try_rule(
    database: DatabaseResource,
    kind: str,
    parameters: Mapping[str, Any],
    from_at: datetime,
    to_at: datetime,
    run: str,
    progress: Progress,
) -> int:
    """Replay a range with one rule as a version of it says, the others as they were in force.

    Returns:
        The replay's id.

    Raises:
        BadRequest: past orders cannot be decided anew by rules of this kind.
    """
    if kind not in IN_FORCE and kind not in FORMS:
        raise BadRequest(f"{kind} decides nothing that a replay could decide anew")
    return replay(database, Request(from_at, to_at, {kind: dict(parameters)}), run, progress)
