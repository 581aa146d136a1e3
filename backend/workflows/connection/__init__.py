"""How a Label Studio project comes to the backend and leaves it."""
