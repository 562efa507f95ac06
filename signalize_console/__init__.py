"""Signalize Console: push messages to website visitors, from one's own server."""
