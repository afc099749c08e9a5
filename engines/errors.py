"""The root of the error tree; every room grows its own branch from here.

AfterimageError
├── InputError        the call or the input is wrong           (exit status 2)
└── WorkError         the call was right, the work failed      (exit status 1)

A message says what was expected, what came, and what to do about it.
"""


class AfterimageError(Exception):
    """Anything Afterimage raises on purpose."""

    exit_status = 1


class InputError(AfterimageError):
    """The call, the configuration or the input is wrong; nothing was attempted."""

    exit_status = 2


class WorkError(AfterimageError):
    """The call was right and the work failed."""

    exit_status = 1
