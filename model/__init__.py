"""What learns: arrays in, arrays out. Knows nothing of HTTP, Label Studio or the environment."""
