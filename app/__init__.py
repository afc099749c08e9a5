"""Pixels and clicks: the command line and the window. The only room that imports Qt."""
