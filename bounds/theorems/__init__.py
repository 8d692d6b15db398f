"""One file a theorem: dropping a file here lists it, tests it and plots it."""
