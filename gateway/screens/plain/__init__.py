"""Screens of the admin library: lists and forms over the API."""
