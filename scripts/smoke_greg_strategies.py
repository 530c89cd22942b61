"""Put Greg's engines through markets and moves: the arguments of `options-agent greg smoke`."""

import sys

from apps.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["greg", "smoke"]
    main()
