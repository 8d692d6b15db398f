"""The error recursion of the martingale bounds, and what it runs on."""
