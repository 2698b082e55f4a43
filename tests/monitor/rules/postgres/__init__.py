"""A package, because the tests of both engines have files of the same names."""
