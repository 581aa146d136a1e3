"""What the dashboard shows, as plain JSON read from the database, and what its buttons do."""
