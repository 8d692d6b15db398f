"""Problem files: read, checked and turned into objects; the bundled ones beside the code."""
