"""python -m backend …, the same as nextlabel …"""

from backend.cli import main

main()
