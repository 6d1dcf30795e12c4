"""Screens for people: plain ones by an admin library, the others in the same frame.

Every screen reads and changes through the REST API of this process, as the user who is logged in,
so that both have one set of rules. Lists are read from the tables, sorted, searched and counted.
"""
