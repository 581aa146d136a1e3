"""What a version says: the order of the pool, predictions, and how they reach Label Studio."""
