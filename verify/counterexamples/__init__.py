"""Random admissible problems, and the search among them for one that refutes a theorem."""
