"""Synthetic items, judged: what each is worth, how real the set looks, what it lifts, and what is missing."""
