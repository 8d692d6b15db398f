"""``python -m verify`` is the command ``sgm-bounds``."""

from verify.cli import main

if __name__ == "__main__":
    main()
