"""Who is addressed: recipients (browser profiles) and their push subscriptions."""
