"""`python -m services.cli`: the same as `lipsol`."""

import sys

from services.cli import main

if __name__ == "__main__":
    sys.exit(main())
