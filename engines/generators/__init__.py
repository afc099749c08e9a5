"""From an embedding back to what was seen: pictures, shapes, words."""
