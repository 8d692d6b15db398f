"""The sampler on the process as numbers: what a reverse step does, and how far it is from the exact map."""
