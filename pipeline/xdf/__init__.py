"""XDF files: read by a chunk index, written chunk by chunk, salvaged."""
