"""A deterministic shop: demand, customers, stock, carriers, fraud rings and messy rows on disk."""
