"""`python -m ecom` is the command `ecom`."""

from ecom.cli import main

main()
