"""What other systems are told: endpoints, signed requests, retries, and the log of them."""
