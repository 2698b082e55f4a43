"""A project put on a server: history, data, copies to judge and to write on."""
