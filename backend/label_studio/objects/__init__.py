"""What Label Studio shows: one module for each kind of object, and the table of all."""
