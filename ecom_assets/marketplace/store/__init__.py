"""SQL of the marketplace: connections, their syncs, listings and what differs.

Locking order: a connection, its state, its listings by key.
"""
