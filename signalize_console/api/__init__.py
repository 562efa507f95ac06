"""Face 2, other servers with a key: the REST API."""
