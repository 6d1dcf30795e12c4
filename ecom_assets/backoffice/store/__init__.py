"""SQL of the backoffice area.

Locking order: the row of the user, then sessions, links and keys of that user. Who changes roles or
takes a user out locks all active admins first, in the order of their keys, so that the last one
stays.
"""
