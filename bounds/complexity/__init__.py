"""How the number of steps grows with error and dimension, and where steps are best placed."""
