"""What is wrong with a whole file."""

from __future__ import annotations


class BadFile(Exception):
    """A file nothing can be made of; the message says why, in one line."""
