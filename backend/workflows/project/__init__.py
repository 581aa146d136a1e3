"""What a project is, who holds it, what waits for it, and how it must look in Label Studio."""
