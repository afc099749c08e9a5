"""What can be wrong with a data set on disk."""

from engines.errors import InputError


class SetUnusable(InputError):
    """A file of a data set is missing, damaged, changed, outside its folder, or not what its name says."""
