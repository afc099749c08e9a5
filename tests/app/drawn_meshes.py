"""Draws meshes as the window does and saves the pictures: `python -m tests.app.drawn_meshes FOLDER`."""

import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QImage

from app.stimulus.meshes import of_solid
from app.turntable import Shape, Turntable, View
from calibration.objects.build import build
from tests.app.reconstructions import TETRAHEDRON

WANTED = {
    "front": (TETRAHEDRON, View()),
    "turned": (TETRAHEDRON, View(turn_deg=90.0)),
    "near": (TETRAHEDRON, View(zoom=2.0)),
    "car": (of_solid(build("car", 3)), View(size_px=150)),
}


def main(folder: Path) -> None:
    application = QGuiApplication([])
    turntable = Turntable()
    left = dict(WANTED)

    def drawn(slot: str, shape: Shape, image: QImage) -> None:
        assert shape is WANTED[slot][0]
        image.save(str(folder / f"{slot}.png"))
        del left[slot]
        if left:
            following()
        else:
            application.quit()

    def following() -> None:
        slot = next(iter(left))
        turntable.wish(slot, *left[slot])

    turntable.drawn.connect(drawn)
    turntable.failed.connect(lambda why: sys.exit(why))
    QTimer.singleShot(0, following)
    application.exec()
    turntable.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
