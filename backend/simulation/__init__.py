"""nextlabel simulate …: what our methods would be worth, measured on data whose answers are known."""
