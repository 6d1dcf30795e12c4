"""Broken rows of what all areas share: queues, effects, decisions, imports, quarantine."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "backoffice.purges",
        "purges_counts_not_negative",
        "UPDATE backoffice.purges SET events = -1",
        ({"purge_id": "1"},),
        without="purges_counts_not_negative_check",
    ),
    Broken(
        "decisions.replays",
        "replays_orders_equal_outcomes",
        "INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, orders, run_id)"
        " VALUES ('2018-01-01Z', '2018-02-01Z', '{}', '{}', 'finished', 1, 'run')",
        ({"replay_id": "1"},),
    ),
    Broken(
        "decisions.replay_outcomes",
        "replay_outcomes_kind_known",
        "INSERT INTO decisions.replays (from_at, to_at, rules, policies, state, run_id)"
        " VALUES ('2018-01-01Z', '2018-02-01Z', '{}', '{}', 'unfinished', 'run');"
        " INSERT INTO decisions.replay_outcomes (replay_id, order_id, kind, currency,"
        " decided_as_of, before, after, is_changed, amount_before_minor, amount_after_minor,"
        " parcels_before, parcels_after, late_before, late_after)"
        " VALUES (1, 1, 'guess', 'EUR', '2018-01-02Z', 'a', 'b', true, 0, 0, 0, 0, 0, 0)",
        ({"replay_id": "1", "order_id": "1", "kind": "guess", "currency": "EUR"},),
        without="replay_outcomes_kind_known_check",
    ),
    Broken(
        "decisions.ledger",
        "ledger_attempts_gapless",
        "UPDATE decisions.ledger SET attempt = 3 WHERE decision_id = 1",
        ({"decision_id": "1"},),
        without="triggers",
    ),
    Broken(
        "decisions.timeline",
        "timeline_order_id_exists",
        "UPDATE decisions.timeline SET order_id = 99 WHERE event_id = 4",
        ({"event_id": "4"},),
        without="triggers",
    ),
    Broken(
        "effects.outbox",
        "outbox_confirmed_with_proof",
        "INSERT INTO effects.outbox (kind, idempotency_key, reference, payload, due_at, state,"
        " attempts, not_before_at, claimed_at, lease_until_at, worker, run_id)"
        " VALUES ('email', 'k', 'r', '{}', '2018-02-02Z', 'confirmed', 1, '2018-02-02Z',"
        " '2018-02-02Z', '2018-02-03Z', 1, 'run')",
        ({"effect_id": "1"},),
        without="triggers",
    ),
    Broken(
        "effects.attempts",
        "attempts_answers_in_time",
        "INSERT INTO effects.outbox (kind, idempotency_key, reference, payload, due_at,"
        " not_before_at, run_id)"
        " VALUES ('email', 'k', 'r', '{}', '2018-02-02Z', '2018-02-02Z', 'run');"
        " INSERT INTO effects.attempts (effect_id, attempt, action, outcome, started_at, ended_at,"
        " answer, run_id)"
        " VALUES (1, 1, 'send', 'late', '2018-02-02Z', '2018-02-02Z', 'taken', 'run')",
        ({"attempt_id": "1"},),
        without="triggers",
    ),
    Broken(
        "flow.holds",
        "holds_order_id_exists",
        "INSERT INTO flow.holds (order_id, reason, placed_by, placed_at, run_id)"
        " VALUES (99, 'x', 'ann', '2018-02-02Z', 'run')",
        ({"hold_id": "1"},),
    ),
    Broken(
        "flow.workers",
        "workers_lane_known",
        "INSERT INTO flow.workers VALUES ('host-1', 'siesta', 1, '2018-02-02Z', '2018-02-02Z', 0)",
        ({"worker_id": "host-1"},),
    ),
    Broken(
        "flow.run_claims",
        "run_claims_lane_known",
        "INSERT INTO flow.run_claims (run_id, lane, offered_at)"
        " VALUES ('run', 'siesta', '2018-02-02Z')",
        ({"run_id": "run"},),
    ),
    Broken(
        "flow.transitions",
        "transitions_dimension_known",
        "INSERT INTO flow.transitions VALUES ('colour', 'red', 'blue')",
        ({"dimension": "colour", "from_state": "red", "to_state": "blue"},),
    ),
    Broken(
        "flow.imports",
        "imports_format_digest_unique",
        "INSERT INTO flow.imports (format, digest, run_id)"
        " SELECT format, digest, run_id FROM flow.imports",
        ({"import_id": "1"}, {"import_id": "2"}),
        without="imports_format_digest_key",
    ),
    Broken(
        "flow.import_accounts",
        "import_accounts_balanced",
        "UPDATE flow.import_accounts SET rows_read = 6",
        ({"import_id": "1", "source": "orders.csv"},),
        without="import_accounts_balanced_check",
    ),
    Broken(
        "flow.quarantine",
        "quarantine_reason_well_formed",
        "UPDATE flow.quarantine SET reason = 'Something odd!'",
        ({"quarantine_id": "1"},),
    ),
    Broken(
        "flow.order_states",
        "order_states_fulfilment_state_known",
        "UPDATE flow.order_states SET fulfilment_state = 'lost' WHERE order_id = 2",
        ({"order_id": "2"},),
        without="triggers",
    ),
    Broken(
        "flow.pending",
        "pending_stage_known",
        "UPDATE flow.pending SET stage = 'limbo' WHERE stage = 'payment'",
        ({"stage": "limbo", "order_id": "4"},),
    ),
    Broken(
        "quality.reconciliations",
        "reconciliations_differences_among_compared",
        "INSERT INTO quality.reconciliations (name, compared, differences, sample, run_id)"
        " VALUES ('odd', 1, 2, '[]', 'run-1')",
        ({"name": "odd"},),
        without="reconciliations_differences_among_compared_check",
    ),
)
