"""Named selections of assets and their schedules, one module per area."""
