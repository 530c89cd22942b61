"""Make fine-tuning corpora of training rows: the arguments of `options-agent train export`."""

import sys

from apps.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["train", "export"]
    main()
