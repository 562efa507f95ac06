"""Whom a push message is for: segments, and their compiler to SQL."""
