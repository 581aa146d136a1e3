"""What people type: a file for what belongs together; `shell.py` is what all of them share.

Nothing heavy is imported before a command runs: help and misspellings load no network and no database.
"""
