"""The only room, beside `dbtrust.queries`, that talks to a server."""
