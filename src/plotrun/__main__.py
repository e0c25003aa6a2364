"""``python -m plotrun``."""

from plotrun.cli import main

if __name__ == "__main__":
    main()
