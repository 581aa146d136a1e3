"""What talks: HTTP, Label Studio, the database, jobs, the terminal. Imports `model`, never back."""
