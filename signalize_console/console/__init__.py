"""Face 1, staff with a login: the Django admin."""
