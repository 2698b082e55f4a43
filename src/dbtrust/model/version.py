"""dbtrust's own version, for what is below the package's public names."""

VERSION = "0.1.0"
