"""Map a foreign shop schema to our feeds, one module per source. No business rules here."""
