"""Commands whose answer is kept: the cells of a sweep, a page about a problem, a bibliography."""
