"""The one exception a user may meet."""


class InputError(ValueError):
    """Input or configuration that cannot be used.

    The message is a single line that names the file (or configuration key), the value found and what was
    expected. The command line prints it and exits with status 2; anything else is a bug and keeps its traceback.
    """
