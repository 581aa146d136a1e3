"""One file that holds what a backend knows, and the way back from it."""
