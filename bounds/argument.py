"""The one line that refuses an object of a wrong type at a public function."""


def check_type(name: str, value, kinds: type | tuple[type, ...], requirement: str) -> None:
    """Raise TypeError naming the argument, the requirement and the type that came, unless it is of a kind."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {requirement}, got {type(value).__name__}")
