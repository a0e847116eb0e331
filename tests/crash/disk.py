"""A disk that tests make fail under a running server. See faulty_disk.c for how."""

import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

__all__ = ["FaultyDisk"]

SOURCE = Path(__file__).with_name("faulty_disk.c")
FILES = ("store.db", "store.db-wal")

#: The places of the faults in their file.
SYNC_FAILS, IS_FULL, DELAY_MS, FAILED_COUNT = range(4)


class FaultyDisk:
    """The disk below a folder. A server started with `environ` has it; it works until told otherwise."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self._kept = folder / "disk"
        self._kept.mkdir()
        library = folder / "faulty_disk.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
        (folder / "faults").write_bytes(bytes(16))
        with open(folder / "faults", "r+b") as file:
            self._faults = mmap.mmap(file.fileno(), 16)
        self.environ = {"LD_PRELOAD": str(library), "FAULTY_DISK": str(folder), "FAULTY_DISK_SEED": str(seed)}

    def _set(self, place: int, value: int) -> None:
        struct.pack_into("i", self._faults, 4 * place, value)

    @property
    def failed_count(self) -> int:
        """How many calls have failed."""
        return int(struct.unpack_from("i", self._faults, 4 * FAILED_COUNT)[0])

    def fail_syncs(self) -> None:
        self._set(SYNC_FAILS, 1)

    def fill_up(self) -> None:
        self._set(IS_FULL, 1)

    def slow_down(self, delay_ms: int) -> None:
        self._set(DELAY_MS, delay_ms)

    def repair(self) -> None:
        """Let it work as it should."""
        for place in (SYNC_FAILS, IS_FULL, DELAY_MS):
            self._set(place, 0)

    def lose_power(self) -> None:
        """Leave in the folder what was on the disk. The server must have been killed."""
        for name in FILES:
            (self.folder / name).unlink(missing_ok=True)
            if (self._kept / name).exists():
                shutil.copy(self._kept / name, self.folder / name)
        (self.folder / "store.db-shm").unlink(missing_ok=True)

    def close(self) -> None:
        self._faults.close()
