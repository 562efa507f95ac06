"""A push service double: stands on the other end of the wire, for trying things out and for tests.

It judges what it gets as the real push services do, and imports nothing else of this product.
"""
