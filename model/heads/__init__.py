"""Small trained parts on frozen vectors."""
