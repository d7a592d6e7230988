"""The one exception a user may meet."""

from neural_action.text import printable


class InputError(ValueError):
    """Input or configuration that cannot be used.

    The message is a single line that names the file (or configuration key), the value found and what was
    expected. The command line prints it and exits with status 2; anything else is a bug and keeps its traceback.
    """

    def __init__(self, message: str):
        # What was found may be an array, a text of many lines, or a name that turns the direction of writing.
        super().__init__(printable(message))
