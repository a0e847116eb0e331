"""Reading the folder of a tariff plan."""

from pathlib import Path

from cgrcore.errors import BadRequest, NotFound
from cgrcore.tariffplan import FILES

__all__ = ["read_folder"]

#: The largest file that is read, in bytes.
MAX_FILE_SIZE = 1 << 30


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a tariff plan by name. Raises NotFound without the folder, BadRequest for one that cannot be read."""
    if not folder.is_dir():
        raise NotFound(f"SERVER_ERROR: {folder}: no such folder", subject="folder", subject_id=str(folder))
    contents = {}
    for name in FILES:
        path = folder / name
        if not path.exists():
            continue
        try:
            if path.stat().st_size > MAX_FILE_SIZE:
                raise BadRequest(f"SERVER_ERROR: {path}: longer than {MAX_FILE_SIZE >> 20} MB")
            contents[name] = path.read_bytes()
        except OSError as error:
            raise BadRequest(f"SERVER_ERROR: {path}: {error.strerror}") from None
    return contents
