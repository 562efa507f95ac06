"""Benchmarks: each prints a table and writes its figures to var/bench/<name>.json. Never timed tests."""
