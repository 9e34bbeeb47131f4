"""``python -m mediawatch`` is the same as the ``mediawatch`` command."""

from mediawatch.cli.main import main

if __name__ == "__main__":
    main()
