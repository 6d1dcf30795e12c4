"""Orders: from the inbox to accepted orders and lines, with what the source observed beside them.

Tables: `orders.inbox`, `orders.orders`, `orders.order_lines`, `orders.observed_events`,
`orders.consumed_offsets`. Everybody
reads them; only `orders.store` writes them.
"""
