"""The one web entrance: login, roles, the REST API, the screens and Dagster's UI.

What belongs here is what the web adds: who somebody is, what a request may do, how things look.
The business is in the areas; nothing here decides about orders, stock or money.
"""
