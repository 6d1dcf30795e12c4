"""Why each order was decided as it was, and how a past range would have been decided otherwise.

The ledger and the timeline belong to all areas (`shared.journal`). Here stand `decisions.replays`
and `decisions.replay_outcomes`, which operators compare before they change a rule, and the reading
of the chain of decisions about one order.
"""
