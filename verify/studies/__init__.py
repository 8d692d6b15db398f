"""The answer behind each command, as data."""
