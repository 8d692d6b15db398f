"""How the number of steps grows with the error and the dimension, derived and published, and where steps are
best placed."""
