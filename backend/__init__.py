"""What talks: HTTP, Label Studio, the database, jobs, the terminal. Imports `model`, never back."""

# That of pyproject.toml, as a test holds them to; the backend also runs where it is not installed.
__version__ = "0.1.0"
