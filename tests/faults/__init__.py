"""The engine among faults: kills, crashes, outages, stops; and what must hold through all of them."""
