"""Words as pictures: white on nothing, in the system's plain font."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter

MARGIN_PX = 4


def written(text: str, height_px: int) -> NDArray[np.uint8]:
    """(height, width, 4) red, green, blue, opacity; top row first. `height_px` is the height of a line's letters.

    Thread: main, with a QGuiApplication.
    """
    font = QFont()
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPixelSize(max(8, height_px))
    flags = int(Qt.AlignmentFlag.AlignCenter.value)
    size = QFontMetrics(font).boundingRect(QRect(0, 0, 10_000, 10_000), flags, text).size()
    image = QImage(size.width() + 2 * MARGIN_PX, size.height() + 2 * MARGIN_PX, QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(image.rect(), flags, text)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()
