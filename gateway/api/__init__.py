"""The REST API: what a route needs, how requests are read and how answers look.

Each module of an area translates between JSON and that area's stores; nothing is decided here.
"""
