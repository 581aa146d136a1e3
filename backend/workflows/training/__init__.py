"""From a snapshot to a version."""
