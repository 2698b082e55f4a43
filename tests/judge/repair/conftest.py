"""Two databases that can be made to differ."""
