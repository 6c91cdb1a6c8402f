"""The root of every business "no"."""


class Refused(Exception):
    """Something the rules forbid: `code` is for gates and logs, the text says what to do next.

    Nothing has changed when it is raised: the transaction of the action is undone.
    A view shows it beside the field it can name; the middleware turns the rest into one plain page.
    """

    code = "refused"
