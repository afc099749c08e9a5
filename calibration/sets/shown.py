"""How a mesh that comes without picture or video is shown: as the built-in objects are."""

import numpy as np
import trimesh
from numpy.typing import NDArray

from calibration.objects.builtin import PICTURE_PX, TURN_HZ
from calibration.objects.render import Renderer
from calibration.objects.solid import Part, Solid
from calibration.objects.turn import TURN_S, turn_deg
from calibration.objects.view import Pose
from calibration.stimuli import Picture
from pipeline.types import Array

# More colours than this are rounded until they fit: a photographed texture has one for almost every face.
MAX_COLOURS = 200


def mesh_picture(mesh: trimesh.Trimesh) -> Picture:
    """(224, 224, 3) seen from the front, as every built-in object."""
    with Renderer(PICTURE_PX) as renderer:
        return renderer.picture(_solid(mesh), pose=Pose())


def mesh_turn(mesh: trimesh.Trimesh) -> tuple[Picture, float]:
    """(180, 224, 224, 3) frames of one full turn in 6 s, and their rate in Hz."""
    solid = _solid(mesh)
    with Renderer(PICTURE_PX) as renderer:
        frames = [
            renderer.picture(solid, turn_deg(number / TURN_HZ), Pose()) for number in range(round(TURN_S * TURN_HZ))
        ]
    return np.stack(frames), TURN_HZ


def _solid(mesh: trimesh.Trimesh) -> Solid:
    """`mesh` as parts of one colour each."""
    colours, part_of = _few(np.asarray(mesh.visual.face_colors)[:, :3] / 255.0)
    parts = []
    for number, colour in enumerate(colours):
        vertices, faces = np.unique(mesh.faces[part_of == number], return_inverse=True)
        parts.append(Part(str(number), np.asarray(mesh.vertices)[vertices], faces.reshape(-1, 3), colour))
    return Solid("", 0, tuple(parts), 0)


def _few(colours: Array) -> tuple[Array, NDArray[np.int64]]:
    """The distinct rows of `colours` (n, 3), at most MAX_COLOURS of them, and which of them each row is."""
    steps = 255
    while True:
        rows, which = np.unique(np.round(colours * steps), axis=0, return_inverse=True)
        if len(rows) <= MAX_COLOURS:
            return rows / steps, which.reshape(-1).astype(np.int64)
        steps = steps // 2
