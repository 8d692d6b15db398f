"""How many steps, which horizon and which grid reach an error."""
