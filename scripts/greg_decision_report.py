"""Report on what Greg suggested and what came of it: arguments of `options-agent greg whatif`."""

import sys

from apps.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["greg", "whatif"]
    main()
