"""Reading tariff plans from folders and archives: names and contents of files, nothing more."""

import io
import zipfile
from pathlib import Path

from cgrcore.errors import BadRequest, NotFound, Unavailable
from cgrcore.tariffplan import KINDS

__all__ = ["read_folder", "read_zip", "write_folder", "write_zip"]

#: The most that the files of one plan may hold together, in bytes.
MAX_PLAN_SIZE = 512 * 1024 * 1024


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a plan by name.

    Raises NotFound without the folder, Unavailable for a file that cannot be read.
    """
    if not folder.is_dir():
        raise NotFound("INVALID_PATH", subject="folder", subject_id=str(folder))
    contents: dict[str, bytes] = {}
    size = 0
    for kind in KINDS:
        path = folder / kind.file
        try:
            if path.is_file():
                size += path.stat().st_size
                _check_size(size)
                contents[kind.file] = path.read_bytes()
        except OSError as error:
            raise Unavailable(f"SERVER_ERROR: {path}: {error.strerror}") from None
    return contents


def read_zip(archive: bytes) -> dict[str, bytes]:
    """Return the CSV files of an archive by name, whatever folder of it they lie in.

    Raises BadRequest for what is no archive.
    """
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if entry.filename.endswith(".csv")]
            _check_size(sum(entry.file_size for entry in entries))
            for entry in entries:
                contents[entry.filename.rpartition("/")[2]] = opened.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise BadRequest("zip: not a valid zip file") from None
    return contents


def write_folder(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files into a folder, which is made when it is not there. Raises Unavailable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise Unavailable(f"SERVER_ERROR: {folder}: {error.strerror}") from None


def write_zip(contents: dict[str, bytes]) -> bytes:
    """Return an archive of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _check_size(size: int) -> None:
    if size > MAX_PLAN_SIZE:
        raise BadRequest(f"SERVER_ERROR: a tariff plan of more than {MAX_PLAN_SIZE >> 20} MB")
