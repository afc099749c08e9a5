"""What the objects of each category are made of, one function a category, one module a theme."""
