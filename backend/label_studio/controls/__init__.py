"""How Label Studio asks: one module for each kind of control."""
