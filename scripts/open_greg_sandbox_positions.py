"""Open positions of the sandbox: the arguments of `options-agent greg sandbox open`."""

import sys

from apps.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["greg", "sandbox", "open"]
    main()
