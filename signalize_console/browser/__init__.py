"""Face 3, anyone's user agent: all that answers without a login or a key."""
