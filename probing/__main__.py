"""`python -m probing`: the command line."""

import sys

from probing.cli.main import main

sys.exit(main())
