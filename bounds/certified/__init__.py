"""A theorem's bound from end to end in ball arithmetic: steps, recursion and formulas, so that every digit is
proved."""
