"""What others read of a result: one page that holds everything about a problem, and the sources of what it used."""
