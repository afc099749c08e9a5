import json
import struct

import numpy as np
import pytest
import trimesh
from PIL import Image

from calibration.sets.errors import SetUnusable
from calibration.sets.meshes import read_mesh, referenced, sample
from tests.calibration.sets import made

SUFFIXES = ["glb", "gltf", "obj", "ply", "stl"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_a_centred_shape_of_radius_one(tmp_path, suffix):
    folder = tmp_path / suffix
    mesh = read_mesh(made.mesh(folder / f"box.{suffix}"))
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), 0, atol=1e-9)
    assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(1.0)
    assert len(mesh.faces) == 12
    # The box is 2 x 1 x 4: formats that are y up lay their third axis towards the front.
    sides = (2.0, 4.0, 1.0) if suffix in ("glb", "gltf", "obj") else (2.0, 1.0, 4.0)
    np.testing.assert_allclose(mesh.extents, 2 * np.array(sides) / np.linalg.norm(sides), atol=1e-6)


@pytest.mark.parametrize("suffix", ["glb", "obj", "ply"])
def test_colours_survive_where_the_format_has_them(tmp_path, suffix):
    mesh = read_mesh(made.mesh(tmp_path / f"box.{suffix}", colour=(200, 30, 60, 255)))
    np.testing.assert_allclose(np.asarray(mesh.visual.face_colors)[:, :3], [[200, 30, 60]] * 12, atol=1)


def test_gltf_stands_upright_with_its_front_towards_us(tmp_path):
    """Khronos: y is up and the front is +z; here z is up and the front is -y."""
    up = trimesh.creation.box((0.2, 4.0, 0.2))
    nose = trimesh.creation.box((0.2, 0.2, 1.0))
    nose.apply_translation((0, 1.0, 0.6))
    path = tmp_path / "pole.glb"
    trimesh.util.concatenate([up, nose]).export(path)
    mesh = read_mesh(path)
    assert mesh.extents.argmax() == 2
    front = mesh.vertices[mesh.vertices[:, 1] < mesh.bounds[:, 1].mean()]
    assert front[:, 2].mean() > 0


def test_real_furniture_keeps_the_colours_of_its_texture(data):
    for path in sorted((data / "mesh" / "kaykit_furniture").glob("*.gltf")):
        mesh = read_mesh(path)
        assert len(mesh.faces) > 10
        assert len(np.unique(np.asarray(mesh.visual.face_colors), axis=0)) > 1
    bed = read_mesh(data / "mesh" / "kaykit_furniture" / "bed_double_A.gltf")
    assert bed.extents.argmin() == 2, "a bed lies flat"
    colours = np.asarray(bed.visual.face_colors)[:, :3].astype(int)
    assert (colours[:, 2] - colours[:, 0] > 60).any(), "its blanket is blue"


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_a_texture_is_read_at_each_face_and_tinted_by_its_material(tmp_path, share):
    texture = Image.fromarray(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8).repeat(2, axis=0))
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 0, 0], [4, 0, 0], [3, 1, 0]], float)
    uv = np.array([[0.1, 0.5]] * 3 + [[0.9, 0.5]] * 3)
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=texture, baseColorFactor=[share] * 3 + [1.0])
    visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    trimesh.Trimesh(corners, [[0, 1, 2], [3, 4, 5]], visual=visual, process=False).export(tmp_path / "two.glb")
    mesh = read_mesh(tmp_path / "two.glb")
    left_first = mesh.triangles_center[:, 0].argsort()
    expected = share * np.array([[255, 0, 0], [0, 0, 255]])
    np.testing.assert_allclose(np.asarray(mesh.visual.face_colors)[left_first, :3], expected, atol=1)


def test_points_lie_on_the_surface_carry_its_colours_and_are_always_the_same(tmp_path):
    mesh = read_mesh(made.mesh(tmp_path / "box.ply"))
    points = sample(mesh, 500)
    assert points.shape == (500, 6)
    assert np.abs(trimesh.proximity.closest_point_naive(mesh, points[:, :3])[1]).max() < 1e-9
    np.testing.assert_allclose(points[:, 3:], [[200 / 255, 30 / 255, 60 / 255]] * 500, atol=1 / 255)
    np.testing.assert_array_equal(points, sample(mesh, 500))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_cut_off_mesh_is_refused_and_named(tmp_path, suffix, share):
    path = made.mesh(tmp_path / f"box.{suffix}")
    if suffix == "obj":  # text that ends early can be a smaller mesh; end it inside a number of a face
        path.write_text(path.read_text().split("\nf ")[0] if share else "")
    else:
        made.cut(path, share)
    with pytest.raises(SetUnusable, match=rf"box\.{suffix}"):
        read_mesh(path)


def test_points_without_faces_are_no_shape(tmp_path):
    trimesh.PointCloud(np.random.default_rng(0).normal(size=(30, 3))).export(tmp_path / "cloud.ply")
    with pytest.raises(SetUnusable, match="0 faces"):
        read_mesh(tmp_path / "cloud.ply")


def test_a_shape_of_one_point_or_of_no_numbers_is_refused(tmp_path):
    (tmp_path / "point.obj").write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    (tmp_path / "nan.obj").write_text("v 1 nan 1\nv 2 1 1\nv 1 2 1\nf 1 2 3\n")
    for name in ("point.obj", "nan.obj"):
        with pytest.raises(SetUnusable, match=name):
            read_mesh(tmp_path / name)


def test_what_a_mesh_needs_beside_itself_is_known(tmp_path, data):
    furniture = data / "mesh" / "kaykit_furniture"
    assert referenced(furniture / "armchair.gltf") == ["armchair.bin", "furniturebits_texture.png"]
    (tmp_path / "a.obj").write_text("mtllib a b.mtl\nv 0 0 0\n")
    (tmp_path / "a b.mtl").write_text("newmtl x\nmap_Kd -s 1 1 1 wood.png\n  map_Bump bump.png\n")
    assert referenced(tmp_path / "a.obj") == ["a b.mtl", "wood.png", "bump.png"]
    head = json.dumps({"images": [{"uri": "t%20x.png"}, {"uri": "data:image/png;base64,"}], "buffers": [{}]}).encode()
    blob = struct.pack("<4sIIII", b"glTF", 2, 20 + len(head), len(head), 0x4E4F534A) + head
    (tmp_path / "a.glb").write_bytes(blob)
    assert referenced(tmp_path / "a.glb") == ["t x.png"]


@pytest.mark.parametrize("target", ["../secret.bin", "/etc/passwd", "http://example.org/x.bin", "C:/x.bin", "gone.bin"])
def test_a_mesh_cannot_reach_out_of_its_folder(tmp_path, target):
    folder = tmp_path / "set"
    made.mesh(folder / "box.gltf")
    (tmp_path / "secret.bin").write_bytes(b"x" * 1000)
    gltf = json.loads((folder / "box.gltf").read_text())
    gltf["buffers"][0]["uri"] = target
    (folder / "box.gltf").write_text(json.dumps(gltf))
    with pytest.raises(SetUnusable):
        read_mesh(folder / "box.gltf")
