"""The business: one folder per area, and the composition root in `definitions`."""
