"""A file that appears whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from verify.pages.console import Failure


@contextlib.contextmanager
def new_file(path: str, force: bool) -> Iterator[Path]:
    """Yield an empty file that replaces ``path`` when the block ends well, and vanishes otherwise."""
    import secrets  # brings random and hmac along, which no help needs

    target = Path(os.path.realpath(path))
    part = target.parent / f".sgm-bounds-{secrets.token_hex(8)}.part"

    def check():
        if target.exists() and not target.is_file():
            raise Failure(f"cannot write {path!r}: it is not a regular file")
        if target.exists() and not force:
            raise Failure(f"{path!r} exists already; --force replaces it")

    try:
        check()
        part.touch(exist_ok=False)
        yield part
        check()
        os.replace(part, target)
    except OSError as error:
        raise Failure(f"cannot write {path!r}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            part.unlink(missing_ok=True)
