"""The little of OpenGL 3.3 that is needed: a program, triangles of three kinds, textures. Runs on Mesa's software too.

Everything here belongs to the current context. Thread: the one that made the context current.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from OpenGL.GL import shaders

from calibration.objects.view import AMBIENT, DIFFUSE, LIGHTS
from pipeline.types import Array

_FLAT = """
#version 330 core
layout(location = 0) in vec2 at;
layout(location = 1) in vec2 texture_at;
uniform vec4 place;  // scale x y, then shift x y
out vec2 where_in_texture;
void main() { where_in_texture = texture_at; gl_Position = vec4(at * place.xy + place.zw, 0.0, 1.0); }
"""
_PLAIN = """
#version 330 core
uniform vec4 colour;
out vec4 shown;
void main() { shown = colour; }
"""
_TEXTURED = """
#version 330 core
in vec2 where_in_texture;
uniform sampler2D image;
uniform vec4 colour;
out vec4 shown;
void main() { shown = texture(image, where_in_texture) * colour; }
"""
_SOLID = """
#version 330 core
layout(location = 0) in vec3 at;
layout(location = 1) in vec3 normal;
layout(location = 2) in vec3 paint;
uniform mat4 clip;
uniform mat3 view;
out vec3 facing;
out vec3 painted;
void main() { facing = view * normal; painted = paint; gl_Position = clip * vec4(at, 1.0); }
"""
# Two lights that stand still beside the camera, and light from everywhere, as in calibration.objects.render.
_LIT = """
#version 330 core
in vec3 facing;
in vec3 painted;
uniform vec4 first;
uniform vec4 second;
uniform vec4 strength;  // from everywhere, and of the lights
out vec4 shown;
void main() {
    vec3 n = normalize(facing);
    n = n.z < 0.0 ? -n : n;  // a thin sheet is seen from both sides
    float lit = first.w * max(0.0, dot(n, first.xyz)) + second.w * max(0.0, dot(n, second.xyz));
    shown = vec4(painted * (strength.x + strength.y * lit), 1.0);
}
"""


class Program:
    """Shaders, and the values they are given."""

    def __init__(self, vertex: str, fragment: str) -> None:
        compiled = (
            shaders.compileShader(vertex, GL.GL_VERTEX_SHADER),
            shaders.compileShader(fragment, GL.GL_FRAGMENT_SHADER),
        )
        # Validation would need what is bound only when something is drawn.
        self._program = shaders.compileProgram(*compiled, validate=False)

    def use(self) -> None:
        """What is drawn from now on goes through it."""
        GL.glUseProgram(self._program)

    def set(self, name: str, values: Array | Sequence[float]) -> None:
        """A vector of 4, or a matrix (3, 3) or (4, 4) that multiplies columns."""
        at, given = GL.glGetUniformLocation(self._program, name), np.asarray(values, np.float32)
        if given.shape == (4,):
            GL.glUniform4f(at, *(float(v) for v in given))
        elif given.shape == (3, 3):
            GL.glUniformMatrix3fv(at, 1, GL.GL_TRUE, np.ascontiguousarray(given))
        else:
            GL.glUniformMatrix4fv(at, 1, GL.GL_TRUE, np.ascontiguousarray(given))


def plain() -> Program:
    """Triangles (n, 2) in one `colour`, put where `place` says (scale x, y, shift x, y)."""
    return Program(_FLAT, _PLAIN)


def textured() -> Program:
    """Triangles (n, 4) of places and texture places, times `colour`, put where `place` says."""
    return Program(_FLAT, _TEXTURED)


def solid() -> Program:
    """Corners (n, 9) of position, normal and colour, seen through `clip` and `view`."""
    program = Program(_SOLID, _LIT)
    program.use()
    for name, (towards, intensity) in zip(("first", "second"), LIGHTS, strict=True):
        program.set(name, (*np.array(towards) / np.linalg.norm(towards), intensity))
    program.set("strength", (AMBIENT, DIFFUSE, 0.0, 0.0))
    return program


class Triangles:
    """Corners on the graphics card; `columns` are the widths of their attributes."""

    def __init__(self, corners: NDArray[np.float32], columns: Sequence[int]) -> None:
        data = np.ascontiguousarray(corners, np.float32)
        self._n = len(data)
        self._array, self._buffer = GL.glGenVertexArrays(1), GL.glGenBuffers(1)
        GL.glBindVertexArray(self._array)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._buffer)
        GL.glBufferData(GL.GL_ARRAY_BUFFER, data.nbytes, data, GL.GL_STATIC_DRAW)
        stride, offset = data.strides[0], 0
        for number, width in enumerate(columns):
            GL.glEnableVertexAttribArray(number)
            GL.glVertexAttribPointer(number, width, GL.GL_FLOAT, GL.GL_FALSE, stride, GL.GLvoidp(offset))
            offset += width * data.itemsize
        GL.glBindVertexArray(0)

    def draw(self) -> None:
        """Through the program in use."""
        GL.glBindVertexArray(self._array)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, self._n)
        GL.glBindVertexArray(0)

    def free(self) -> None:
        """Give the memory back."""
        GL.glDeleteBuffers(1, [self._buffer])
        GL.glDeleteVertexArrays(1, [self._array])


class Texture:
    """A picture (height, width, 3 or 4) on the graphics card, top row first."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self.height, self.width, depth = picture.shape
        self._format = GL.GL_RGBA if depth == 4 else GL.GL_RGB
        self._name = GL.glGenTextures(1)
        self.bind()
        for option in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, option, GL.GL_CLAMP_TO_EDGE)
        # Large photographs on a small screen would sparkle without mipmaps.
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, GL.GL_RGBA8, self.width, self.height, 0, self._format, GL.GL_UNSIGNED_BYTE,
            np.ascontiguousarray(picture),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D)

    def replace(self, picture: NDArray[np.uint8]) -> None:
        """Another picture of the same size."""
        self.bind()
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        GL.glTexSubImage2D(
            GL.GL_TEXTURE_2D, 0, 0, 0, self.width, self.height, self._format, GL.GL_UNSIGNED_BYTE,
            np.ascontiguousarray(picture),
        )  # fmt: skip
        GL.glGenerateMipmap(GL.GL_TEXTURE_2D)

    def bind(self) -> None:
        """What is drawn from now on takes its picture from here."""
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._name)

    def free(self) -> None:
        """Give the memory back."""
        GL.glDeleteTextures(1, [self._name])
