"""Items that fit no known class: scored, flagged at a promised rate, grouped, and named."""
