"""The entry point of `python -m explainers`."""

import sys

from explainers.command_line import main

if __name__ == "__main__":
    sys.exit(main())
