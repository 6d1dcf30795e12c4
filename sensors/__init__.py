"""Something changed, so a job is requested: one module per area, no business rules."""
