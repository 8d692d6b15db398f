"""One problem at many values of its keys: the file that asks, the cells, where they run, what they answer."""
