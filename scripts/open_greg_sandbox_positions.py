"""Open positions of the sandbox: the arguments of `options-agent greg sandbox open`, and --list."""

import sys

from apps.cli.main import main

INSTEAD = {"--list": "list", "--clear-only": "close"}  # flags that are commands of their own

if __name__ == "__main__":
    named = next((flag for flag in sys.argv[1:] if flag in INSTEAD), None)
    rest = [each for each in sys.argv[1:] if each != named]
    sys.argv[1:] = ["greg", "sandbox", INSTEAD.get(named or "", "open"), *rest]
    main()
