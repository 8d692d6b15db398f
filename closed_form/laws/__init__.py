"""The data laws, one a file."""
