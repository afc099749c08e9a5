"""Objects as the graphics card takes them: vertices, normals and colours, and the camera of the still pictures.

The camera is `calibration.objects.view` and the light that of `calibration.objects.render`, so that an object drawn
here looks as its rendered picture does.
"""

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray

from calibration.objects.pose import pose_of
from calibration.objects.solid import Solid
from calibration.objects.view import DISTANCE, ELEVATION_DEG, Pose
from pipeline.reconstruction import Mesh
from pipeline.types import Array

CREASE_DEG = 40.0
_NEAR, _FAR = DISTANCE - 1.1, DISTANCE + 1.1


@dataclass(frozen=True, eq=False)
class Model:
    """A mesh ready to be drawn: `corners` (n, 9) float32 of position, normal and colour, three rows a triangle."""

    corners: NDArray[np.float32]
    pose: Pose


def of_solid(solid: Solid) -> Model:
    """A built-in object in its own pose."""
    return Model(_corners(solid.vertices, solid.faces, solid.face_colours), pose_of(solid))


def of_mesh(mesh: trimesh.Trimesh) -> Model:
    """A mesh with face colours, z up, its farthest vertex at distance 1, seen from the front."""
    colours = np.asarray(mesh.visual.face_colors)[:, :3] / 255
    return Model(_corners(np.asarray(mesh.vertices), np.asarray(mesh.faces), colours), Pose())


def of_surface(mesh: Mesh) -> Model:
    """A mesh with vertex colours, z up, within the unit sphere, smooth all over, seen from the front."""
    points = mesh.vertices[mesh.faces]
    sums = np.zeros((len(mesh.vertices), 3))
    area_normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    for corner in range(3):
        np.add.at(sums, mesh.faces[:, corner], area_normals)
    normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    corners = np.concatenate([points, normals[mesh.faces], mesh.colours[mesh.faces] / 255], axis=2)
    return Model(corners.reshape(-1, 9).astype(np.float32), Pose())


def camera(pose: Pose, turn_deg: float, rise_deg: float = ELEVATION_DEG) -> tuple[Array, Array]:
    """(4, 4) from the object to the square picture in clip coordinates, and (3, 3) of its normals into the camera's.

    `rise_deg` is how far above the object's middle the camera stands.

    `clip[:2] / clip[3]` is what `calibration.objects.view.project` gives.
    """
    yaw, roll, rise = np.radians([pose.yaw_deg + turn_deg, pose.roll_deg, rise_deg])
    turned = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    # Rows: to the right, upward in the picture, and towards the camera.
    raised = np.array([[1, 0, 0], [0, np.sin(rise), np.cos(rise)], [0, -np.cos(rise), np.sin(rise)]])
    leaning = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    view = leaning @ raised @ turned
    scale = DISTANCE / pose.half_width
    clip = np.zeros((4, 4))
    clip[:2, :3] = scale * view[:2]
    clip[3, :3], clip[3, 3] = -view[2], DISTANCE
    # Depth d goes to ((far + near) d - 2 far near) / (far - near) / d: -1 at the near plane, 1 at the far one.
    clip[2] = (_FAR + _NEAR) / (_FAR - _NEAR) * clip[3]
    clip[2, 3] -= 2 * _FAR * _NEAR / (_FAR - _NEAR)
    return clip, view


def _corners(vertices: Array, faces: NDArray[np.int64], colours: Array) -> NDArray[np.float32]:
    points = vertices[faces]
    normals = _creased(faces, np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]))
    shades = np.repeat(colours[:, None], 3, axis=1)
    return np.concatenate([points, normals, shades], axis=2).reshape(-1, 9).astype(np.float32)


def _creased(faces: NDArray[np.int64], area_normals: Array) -> Array:
    """(n_faces, 3, 3) normals of the corners: smooth over faces that meet at less than `CREASE_DEG`, else sharp."""
    unit = area_normals / np.maximum(np.linalg.norm(area_normals, axis=1, keepdims=True), 1e-12)
    owner, vertex = np.repeat(np.arange(len(faces)), 3), faces.ravel()
    order = np.argsort(vertex, kind="stable")
    counts = np.bincount(vertex)
    starts = np.cumsum(counts) - counts
    # Every corner with every corner at its vertex.
    n_partners = counts[vertex]
    corner = np.repeat(np.arange(len(vertex)), n_partners)
    place = np.arange(n_partners.sum()) - np.repeat(np.cumsum(n_partners) - n_partners, n_partners)
    partner = owner[order[starts[vertex[corner]] + place]]
    smooth = np.einsum("ij,ij->i", unit[owner[corner]], unit[partner]) > np.cos(np.radians(CREASE_DEG))
    summed = np.zeros((len(vertex), 3))
    np.add.at(summed, corner[smooth], area_normals[partner[smooth]])
    lengths = np.linalg.norm(summed, axis=1, keepdims=True)
    return np.asarray((summed / np.maximum(lengths, 1e-12)).reshape(-1, 3, 3))
