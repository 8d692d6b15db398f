"""From text to sympy expressions, exact numbers and closed forms, within a limit of time."""
