"""Whose site it is: its origins, its secure code and its VAPID keys."""
