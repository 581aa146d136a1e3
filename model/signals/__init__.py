"""What a project can know of itself: how good it is, what labels buy, when to stop, what to trust."""
