"""When and how fast the reverse process contracts, in one block and in the metric of two."""
