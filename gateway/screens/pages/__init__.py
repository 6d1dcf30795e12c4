"""Pages of our own, in the frame of the others."""
