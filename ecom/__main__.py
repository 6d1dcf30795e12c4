"""`python -m ecom` is the command `ecom`."""

from ecom.cli import main

if __name__ == "__main__":
    main()
