"""A file that appears whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from verify.pages.console import Failure


def check_new_file(path: str | None, force: bool) -> None:
    """Refuse a path at which no file may be written; None is no path."""
    if path is None:
        return
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise Failure(f"cannot write {path!r}: No such file or directory")
    if target.exists() and not target.is_file():
        raise Failure(f"cannot write {path!r}: it is not a regular file")
    if target.exists() and not force:
        raise Failure(f"{path!r} exists already; --force replaces it")


@contextlib.contextmanager
def new_file(path: str, force: bool) -> Iterator[Path]:
    """Yield an empty file that replaces ``path`` when the block ends well, and vanishes otherwise."""
    import secrets  # brings random and hmac along, which no help needs

    target = Path(os.path.realpath(path))
    part = target.parent / f".sgm-bounds-{secrets.token_hex(8)}.part"

    try:
        check_new_file(path, force)
        part.touch(exist_ok=False)
        yield part
        check_new_file(path, force)
        os.replace(part, target)
    except OSError as error:
        raise Failure(f"cannot write {path!r}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            part.unlink(missing_ok=True)
