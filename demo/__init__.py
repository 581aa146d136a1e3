"""The demonstration: a real Label Studio, this backend and public texts, started with one command."""
