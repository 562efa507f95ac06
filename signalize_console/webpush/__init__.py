"""The wire to the push services: RFC 8030, 8291, 8292. Knows no framework."""
