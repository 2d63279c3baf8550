"""`python -m predictive`, the same as `predictive`."""

import sys

from predictive.cli import main

if __name__ == "__main__":
    sys.exit(main())
