"""python -m backend …"""

import sys

try:
    from backend.cli import main

    main()
except KeyboardInterrupt:  # while the imports, which take seconds, were running
    sys.exit(130)
