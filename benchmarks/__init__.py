"""Figures that this project promises, measured against a real Label Studio; `make bench` runs them all."""
