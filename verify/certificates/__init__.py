"""A theorem's claim next to the exact error, with a verdict."""
