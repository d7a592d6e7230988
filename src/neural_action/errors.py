"""The exception for errors of the user's input."""

from neural_action.text import printable


class InputError(ValueError):
    """Input or configuration that cannot be used.

    The message is one line that names the file (or configuration key), the value found and what was expected. The
    command line prints it and exits with status 2. Any other exception is a bug and keeps its traceback.
    """

    def __init__(self, message: str):
        # A value may be an array, a text of several lines, or have characters that change the writing direction.
        super().__init__(printable(message))
