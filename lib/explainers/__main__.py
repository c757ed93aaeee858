"""`python -m explainers`: list, run and inspect the recorded runs."""

import sys

from explainers.experiments import main

if __name__ == "__main__":
    sys.exit(main())
