"""The process that draws a contact sheet where there is a window: no renderer may come into that one's."""

from multiprocessing.connection import Connection

from app.album import SheetWanted
from pipeline.processes import Child, answer, leave_with_parent
from pipeline.reconstruction import Picture

WHO = "the process of contact sheets"


def drawn_beside(wanted: SheetWanted) -> Picture | None:
    """As `app.sheet.drawn`. Thread: any; waits for it.

    Raises:
        AfterimageError: it could not be drawn, or the process died.
    """
    child = Child(WHO, _child)
    child.start()
    try:
        child.send(wanted)
        picture: Picture | None = child.receive()[0]
    finally:
        child.stop()
    return picture


def _child(pipe: Connection) -> None:
    leave_with_parent()

    def work() -> tuple[Picture | None]:
        from app.sheet import drawn

        return (drawn(pipe.recv()),)

    answer(pipe, WHO, work)
