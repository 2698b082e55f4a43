"""Histories of migrations as they are found in the wild: one module a layout, found by the shape of files alone."""
