"""Sales channels: connections to them, what is live on them, and orders that come from them."""
