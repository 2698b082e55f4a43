"""python -m dbtrust: the same as the command dbtrust."""

from __future__ import annotations

from dbtrust.cli.main import main

if __name__ == "__main__":
    main()
