"""Meshes drawn beside the window: a thread with an OpenGL context of its own draws the newest wish into a picture.

The window itself stays without OpenGL and only shows pictures (docs/decisions/0180-meshes-beside-the-window.md).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QOffscreenSurface

from app.stimulus.meshes import Model
from calibration.objects.view import ELEVATION_DEG
from engines.errors import WorkError
from pipeline.reconstruction import Mesh

Shape = Model | Mesh


@dataclass(frozen=True)
class View:
    """How a shape is seen: turned about its vertical, from how far above, how near, in how many pixels."""

    turn_deg: float = 0.0
    rise_deg: float = ELEVATION_DEG
    zoom: float = 1.0
    size_px: int = 200


class Turntable(QObject):
    """Draws one shape for each slot, whatever was wished last; wishes that came too fast are never drawn.

    `drawn` carries the slot, the shape and its picture; `failed` why nothing will be drawn, once.

    Thread: main only; drawing is done in a thread of its own, which ends with `close`.
    """

    drawn = Signal(str, object, QImage)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.why_not = ""
        self._surface: QOffscreenSurface | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._wishes: dict[str, tuple[Shape, View]] = {}
        self._closing = False
        self.failed.connect(self._on_failed)

    def wish(self, slot: str, shape: Shape, view: View) -> None:
        """Draw this next."""
        if self.why_not or self._closing:
            return
        if self._thread is None:
            self._surface = QOffscreenSurface()
            self._surface.create()
            self._thread = threading.Thread(target=self._run, args=(self._surface,), name="afterimage-meshes")
            self._thread.start()
        with self._changed:
            self._wishes[slot] = shape, view
            self._changed.notify()

    def close(self) -> None:
        """End the drawing and wait for it."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _on_failed(self, text: str) -> None:
        self.why_not = text

    # In the thread that draws.

    def _run(self, surface: QOffscreenSurface) -> None:
        try:
            from app.easel import Easel  # here: where there is no OpenGL library, only meshes are missing

            easel = Easel(surface)
            while wishes := self._next():
                for slot, (shape, view) in wishes.items():
                    self.drawn.emit(slot, shape, easel.picture(slot, shape, view))
            easel.close()
        except WorkError as error:
            self.failed.emit(str(error))
        except Exception as error:  # noqa: BLE001 - whatever broke becomes visible in the panel
            self.failed.emit(f"drawing failed: {type(error).__name__}: {error}")

    def _next(self) -> Mapping[str, tuple[Shape, View]]:
        """What to draw; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._wishes or self._closing)
            wishes, self._wishes = ({}, {}) if self._closing else (self._wishes, {})
            return wishes
