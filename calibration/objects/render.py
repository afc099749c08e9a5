"""Pictures of objects, rendered off screen: soft light from the camera's side on plain grey.

There is no shine and no shadow on the ground, so that a picture's colours are those of the parts.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import pyvista as pv
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import vtkLogger

from calibration.objects.pose import pose_of
from calibration.objects.solid import Solid
from calibration.objects.view import AMBIENT, DIFFUSE, DISTANCE, ELEVATION_DEG, LIGHTS, Pose
from calibration.stimuli import Picture

BACKGROUND = 118
"""Of 255 in each channel: mid grey as a screen shows it."""

_FINENESS = 3
CREASE_DEG = 40.0
_NOTHING = -1


@dataclass(frozen=True, eq=False)
class View:
    """One look at an object: `picture` (H, W, 3), `mask` (H, W) where the object is, `parts` (H, W), -1 outside it."""

    picture: Picture
    mask: NDArray[np.bool_]
    parts: NDArray[np.int64]


class Renderer:
    """Renders square pictures of `size_px`. Use it in a `with` block: it holds a graphics context.

    Thread: the one that made it.
    """

    def __init__(self, size_px: int) -> None:
        self._plotter = lit_plotter(size_px)
        self._shown: Solid | None = None
        self._painted, self._numbered = pv.Actor(), pv.Actor()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._plotter.close()

    def picture(self, solid: Solid, turn_deg: float = 0.0, pose: Pose | None = None) -> Picture:
        """(size_px, size_px, 3): `solid` in its own pose, or in `pose`, turned by `turn_deg` (anticlockwise)."""
        self._show(solid, pose_of(solid) if pose is None else pose, turn_deg)
        return smooth(self._shot(self._painted, BACKGROUND))

    def view(self, solid: Solid, turn_deg: float = 0.0, pose: Pose | None = None) -> View:
        """As `picture`, and which part is where."""
        picture = self.picture(solid, turn_deg, pose)
        middle = slice(_FINENESS // 2, None, _FINENESS)
        parts = self._shot(self._numbered, 0)[middle, middle, 0].astype(np.int64) - 1
        return View(picture, parts != _NOTHING, parts)

    @property
    def size_px(self) -> int:
        """Width and height of the pictures."""
        return int(self._plotter.window_size[0]) // _FINENESS

    def _show(self, solid: Solid, pose: Pose, turn_deg: float) -> None:
        if solid is not self._shown:
            self._plotter.clear_actors()
            mesh = _faceted(solid)
            self._painted = self._plotter.add_mesh(mesh, scalars="colour", rgb=True, ambient=AMBIENT, diffuse=DIFFUSE)
            self._painted.prop.interpolation = "phong"
            self._numbered = self._plotter.add_mesh(mesh.copy(), scalars="number", rgb=True, lighting=False)
            self._shown = solid
        aim(self._plotter, pose, turn_deg)

    def _shot(self, actor: pv.Actor, background: int) -> Picture:
        self._painted.visibility, self._numbered.visibility = actor is self._painted, actor is self._numbered
        return shot(self._plotter, background)


def lit_plotter(size_px: int) -> pv.Plotter:
    """An off-screen plotter under the light of all pictures, so much finer than `size_px` as `smooth` takes."""
    # Without a screen VTK tries X, warns, and goes on with EGL as it should.
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)
    fine_px = _FINENESS * size_px
    plotter = pv.Plotter(off_screen=True, window_size=(fine_px, fine_px), lighting="none")
    plotter.disable_anti_aliasing()
    for position, intensity in LIGHTS:
        plotter.add_light(pv.Light(position=position, intensity=intensity, light_type="camera light"))
    return plotter


def aim(plotter: pv.Plotter, pose: Pose, turn_deg: float) -> None:
    """Look at what stands in the middle of the scene, in `pose`, turned by `turn_deg` (anticlockwise)."""
    camera = plotter.camera
    yaw, roll, rise = np.radians([-pose.yaw_deg - turn_deg, pose.roll_deg, ELEVATION_DEG])
    upright = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    camera.focal_point = (0, 0, 0)
    camera.position = upright @ [0, -DISTANCE * np.cos(rise), DISTANCE * np.sin(rise)]
    camera.up = upright @ [-np.sin(roll), np.cos(roll) * np.sin(rise), np.cos(roll) * np.cos(rise)]
    camera.view_angle = 2 * np.degrees(np.arctan(pose.half_width / DISTANCE))
    camera.clipping_range = (DISTANCE - 1.1, DISTANCE + 1.1)


def shot(plotter: pv.Plotter, background: int = BACKGROUND) -> Picture:
    """The scene as it stands, on plain grey, as fine as the plotter is."""
    plotter.set_background((background, background, background))
    plotter.render()
    return np.asarray(plotter.screenshot(return_img=True))


def smooth(fine: Picture) -> Picture:
    """A fine shot without steps at its edges, at the size that was asked for."""
    height, width = (n // _FINENESS for n in fine.shape[:2])
    blocks = fine.reshape(height, _FINENESS, width, _FINENESS, 3)
    return np.asarray(np.round(blocks.mean(axis=(1, 3))), dtype=np.uint8)


def _faceted(solid: Solid) -> pv.PolyData:
    """`solid` with smooth surfaces and sharp edges, and its faces' colours and part numbers (from 1)."""
    mesh = pv.PolyData(solid.vertices, np.column_stack([np.full(len(solid.faces), 3), solid.faces]).ravel())
    mesh.cell_data["colour"] = np.round(255 * solid.face_colours).astype(np.uint8)
    mesh.cell_data["number"] = np.repeat(solid.face_parts[:, None] + 1, 3, axis=1).astype(np.uint8)
    return mesh.compute_normals(
        cell_normals=False,
        split_vertices=True,
        feature_angle=CREASE_DEG,
        consistent_normals=False,
        auto_orient_normals=False,
    )
