"""Where sessions are opened: a module by table, whose methods are named for what they answer."""
