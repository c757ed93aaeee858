"""`python -m explainers`: list, run and inspect the recorded runs."""

import sys

from explainers.command_line import main

if __name__ == "__main__":
    sys.exit(main())
