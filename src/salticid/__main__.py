"""`python -m salticid` is `salticid`."""

from salticid.cli import main

main()
