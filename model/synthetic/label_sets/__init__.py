"""Synthetic items that were meant to carry any number of labels, judged as items with one label are."""
