"""Risk: accept, review or reject each order, with reasons.

Table: `risk.decisions`. Read by inventory (accepted orders go on) and analysts; only `risk.store`
writes it.
"""
