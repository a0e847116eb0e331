"""`python -m cgrserver.cli` is the command `cgrcore`."""

from cgrserver.cli import main

main()
