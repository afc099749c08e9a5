"""Shapes drawn into pictures by OpenGL, without a window."""

from dataclasses import replace

from OpenGL import GL
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QOffscreenSurface, QOpenGLContext, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat

from app import theme
from app.stimulus.gl import Triangles, solid
from app.stimulus.meshes import Model, camera, of_surface
from app.turntable import Shape, View
from engines.errors import WorkError
from pipeline.reconstruction import Mesh

SAMPLES = 4
NO_OPENGL = "Meshes are drawn with OpenGL 3.3, and this display has none."


class Easel:
    """An OpenGL context that draws into pictures, and the newest shape of each slot on the graphics card.

    Thread: the one that made it.
    """

    def __init__(self, surface: QOffscreenSurface) -> None:
        """Raises WorkError: there is no OpenGL 3.3."""
        self._context = QOpenGLContext()
        wanted = QSurfaceFormat()
        wanted.setVersion(3, 3)
        wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
        self._context.setFormat(wanted)
        made = self._context.create() and self._context.makeCurrent(surface)
        if not made or self._context.format().version() < (3, 3):
            raise WorkError(NO_OPENGL)
        self._program = solid()
        self._canvas: QOpenGLFramebufferObject | None = None
        self._shapes: dict[str, tuple[Shape, Model, Triangles]] = {}

    def picture(self, slot: str, shape: Shape, view: View) -> QImage:
        """The shape on the colour of the window, square."""
        model, triangles = self._on_card(slot, shape)
        canvas = self._canvas_of(view.size_px)
        canvas.bind()
        GL.glViewport(0, 0, view.size_px, view.size_px)
        GL.glEnable(GL.GL_DEPTH_TEST)
        ground = theme.colour(theme.GROUND)
        GL.glClearColor(ground.redF(), ground.greenF(), ground.blueF(), 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        pose = replace(model.pose, half_width=model.pose.half_width / view.zoom)
        clip, turned = camera(pose, view.turn_deg, view.rise_deg)
        self._program.use()
        self._program.set("clip", clip)
        self._program.set("view", turned)
        triangles.draw()
        picture = canvas.toImage()
        canvas.release()
        return picture

    def close(self) -> None:
        """Give everything back."""
        for _, _, triangles in self._shapes.values():
            triangles.free()
        self._shapes.clear()
        self._canvas = None  # while its context is current
        self._context.doneCurrent()

    def _on_card(self, slot: str, shape: Shape) -> tuple[Model, Triangles]:
        known = self._shapes.get(slot)
        if known is None or known[0] is not shape:
            if known is not None:
                known[2].free()
            model = of_surface(shape) if isinstance(shape, Mesh) else shape
            known = self._shapes[slot] = shape, model, Triangles(model.corners, (3, 3, 3))
        return known[1], known[2]

    def _canvas_of(self, size_px: int) -> QOpenGLFramebufferObject:
        if self._canvas is None or self._canvas.width() != size_px:
            wanted = QOpenGLFramebufferObjectFormat()
            wanted.setSamples(SAMPLES)
            wanted.setAttachment(QOpenGLFramebufferObject.Attachment.Depth)
            self._canvas = QOpenGLFramebufferObject(QSize(size_px, size_px), wanted)
        return self._canvas
