"""What talks: HTTP, Label Studio, the database, jobs, the terminal. Imports `model`, never back."""

# That of pyproject.toml: nobody installs the backend as a package, so there is no metadata to ask.
__version__ = "0.1.0"
