"""Connections to what is outside the process. No business rules here."""
