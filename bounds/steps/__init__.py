"""The sampler on the process as numbers: what every reverse step does, and how far it is from the exact
reverse map."""
