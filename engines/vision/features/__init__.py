"""Networks that published measures of pictures look through, and the pocket encoder in their place."""
