"""Builds the compiled core. Everything else about the package is in pyproject.toml.

`CGR_DEBUG=1` builds with bounds and overflow checks and without optimisation.
`CGR_ONLY=pattern` builds only the extensions whose dotted name contains the pattern.
"""

import os
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("cgrcore needs Python 3.11 or later: install python3.11 and python3.11-venv, then try again.")

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("CGR_DEBUG") == "1"
ONLY = os.environ.get("CGR_ONLY", "")


def extensions() -> list[Extension]:
    found = []
    for root, folder in (("cgrcore", "."), ("cgrserver", "server"), ("bench", ".")):
        for path in sorted(Path(folder, root).rglob("*.pyx")):
            name = ".".join(path.relative_to(folder).with_suffix("").parts)
            if ONLY not in name:
                continue
            found.append(
                Extension(
                    name,
                    [str(path)],
                    include_dirs=[numpy.get_include()],
                    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
                    extra_compile_args=["-O0", "-g"] if DEBUG else ["-O3", "-g0"],
                )
            )
    return found


setup(
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
    ext_modules=cythonize(
        extensions(),
        build_dir="build/cython-debug" if DEBUG else "build/cython",
        compiler_directives={
            "language_level": 3,
            "embedsignature": True,
            "boundscheck": DEBUG,
            "wraparound": DEBUG,
            "initializedcheck": DEBUG,
            "overflowcheck": DEBUG,
            "cdivision": True,
        },
        include_path=["."],
    )
)
