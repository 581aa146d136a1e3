"""Vectors on disk: flat files that grow at their end, read where they lie."""
