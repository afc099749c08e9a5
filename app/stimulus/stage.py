"""Draws a frame of a run: everything it needs is on the graphics card before the run begins, but for videos."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from OpenGL import GL

from app.stimulus import figures, gl
from app.stimulus.director import Frame
from app.stimulus.meshes import Model, camera
from app.stimulus.supply import Supply, Videos
from app.stimulus.words import written
from calibration.objects.turn import turn_deg
from calibration.protocols import tangrams
from calibration.protocols.steps import Screen, Step
from calibration.stimuli import Item

BACKGROUND = 118 / 255  # as of the rendered pictures
SQUARE = 0.8  # side of the square that stimuli are shown in, of the shorter side of the window
LETTERS = 0.045  # height of letters, of the same
PATCH = 0.12  # side of the photodiode's patch, of the same
VIDEOS_AHEAD = 2
DARK, LIGHT = (0.08, 0.08, 0.08, 1.0), (1.0, 1.0, 1.0, 1.0)
STIMULI = frozenset({Screen.PICTURE, Screen.FLICKER, Screen.FIGURE, Screen.WORD})


class Stage:
    """A window's contents, `size_px` wide and high.

    With `photodiode` a patch in the lower left corner is white while a picture is on, else black.

    Thread: the one whose context is current.
    """

    def __init__(self, supply: Supply, size_px: tuple[int, int], photodiode: bool = False) -> None:
        self._size_px = size_px
        self._photodiode = photodiode
        self._supply = supply
        self._videos = Videos(supply)
        self._plain, self._textured, self._solid = gl.plain(), gl.textured(), gl.solid()
        self._unit = gl.Triangles(figures.rectangle(-1, -1, 1, 1), (2,))
        self._cross = gl.Triangles(figures.cross(), (2,))
        # Texture rows run downward.
        corners = figures.rectangle(-1, -1, 1, 1)
        self._page = gl.Triangles(np.column_stack([corners, (1 + corners[:, 0]) / 2, (1 - corners[:, 1]) / 2]), (2, 2))
        self._models: dict[tuple[Item, bool], tuple[gl.Triangles, Model]] = {}
        self._pictures: dict[Item, gl.Texture] = {}
        self._words: dict[str, gl.Texture] = {}
        self._figures: dict[str, gl.Triangles] = {}
        self._steps: Sequence[Step] = ()
        self._at = -1
        self._film: tuple[Item, gl.Texture, int] | None = None

    def prepare(self, steps: Sequence[Step]) -> Iterator[float]:
        """Put everything these steps show on the graphics card; yields the share done.

        Raises:
            InputError: the set has not got it, or it cannot be read.
        """
        self._steps, self._at = steps, -1
        needed = list(dict.fromkeys((s.screen, s.item, s.text, s.waits) for s in steps))
        first = {(s.screen, s.item, s.text, s.waits): s for s in reversed(steps)}
        for number, key in enumerate(needed, 1):
            self._prepare(first[key])
            yield number / len(needed)
        self._look_ahead()
        if films := [s.item for s in steps if s.item and self._is_film(s)]:
            self._videos.get(films[0])  # so that a set without videos is told before anything is shown

    def ready(self, step: Step) -> bool:
        """Whether the step can be drawn now; only a video may still have to be read."""
        return not self._is_film(step) or (step.item is not None and self._videos.ready(step.item))

    def draw(self, frame: Frame) -> None:
        """Everything that is seen in this frame."""
        step = frame.step
        if frame.number == 0 and (self._at < 0 or self._steps[self._at] is not step):
            self._at += 1
            self._look_ahead()
        self._clear()
        if step.screen is Screen.FIXATION:
            self._shape(self._cross, DARK)
        elif step.screen in (Screen.PICTURE, Screen.FLICKER) and step.item and frame.lit:
            self._still(step.item)
        elif step.screen is Screen.TURN and step.item:
            self._turn(step.item, frame.since_s)
        elif step.screen is Screen.FIGURE and step.item:
            self._shape(self._figures[step.item.category], DARK)
        elif (text := said(step)) in self._words:
            self._text(text)
        if self._photodiode:
            self._patch(LIGHT if step.screen in STIMULI and frame.lit else (0.0, 0.0, 0.0, 1.0))

    def message(self, text: str) -> None:
        """Words alone, before a run."""
        self._write(text)
        self._clear()
        self._text(text)

    def close(self) -> None:
        """Read no more videos. What is on the graphics card goes with its context."""
        self._videos.close()

    def _prepare(self, step: Step) -> None:
        if step.screen in (Screen.PICTURE, Screen.FLICKER) and step.item:
            self._prepare_still(step.item)
        elif step.screen is Screen.TURN and step.item:
            if (step.item, False) not in self._models:
                self._keep(step.item, self._supply.moving(step.item), still=False)
        elif step.screen is Screen.FIGURE and step.item:
            figure = tangrams.figures()[step.item.category]
            self._figures[step.item.category] = gl.Triangles(figures.tangram(figure), (2,))
        elif text := said(step):
            self._write(text)

    def _prepare_still(self, item: Item) -> None:
        if (item, True) in self._models or item in self._pictures:
            return
        look = self._supply.still(item)
        if isinstance(look, Model):
            self._keep(item, look, still=True)
            self._models[item, False] = self._models[item, True]
        else:
            self._pictures[item] = gl.Texture(look)

    def _keep(self, item: Item, model: Model | None, still: bool) -> None:
        if model is not None:
            self._models[item, still] = (gl.Triangles(model.corners, (3, 3, 3)), model)

    def _is_film(self, step: Step) -> bool:
        return step.screen is Screen.TURN and (step.item, False) not in self._models

    def _look_ahead(self) -> None:
        films = (s.item for s in self._steps[max(0, self._at) :] if s.item and self._is_film(s))
        self._videos.want(islice(films, VIDEOS_AHEAD))

    def _clear(self) -> None:
        GL.glViewport(0, 0, *self._size_px)
        GL.glClearColor(BACKGROUND, BACKGROUND, BACKGROUND, 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        GL.glDisable(GL.GL_DEPTH_TEST)

    def _still(self, item: Item) -> None:
        if (item, True) in self._models:
            self._object(item, True, 0.0)
        else:
            self._image(self._pictures[item])

    def _turn(self, item: Item, since_s: float) -> None:
        if (item, False) in self._models:
            self._object(item, False, turn_deg(since_s))
        else:
            self._image(self._film_texture(item, since_s))

    def _object(self, item: Item, still: bool, angle_deg: float) -> None:
        triangles, model = self._models[item, still]
        clip, view = camera(model.pose, angle_deg)
        self._square()
        GL.glEnable(GL.GL_DEPTH_TEST)
        self._solid.use()
        self._solid.set("clip", clip)
        self._solid.set("view", view)
        triangles.draw()

    def _film_texture(self, item: Item, since_s: float) -> gl.Texture:
        frames, hz = self._videos.get(item)
        number = min(len(frames) - 1, int(since_s * hz + 1e-6))
        if self._film is None or self._film[0] != item:
            if self._film is not None:
                self._film[1].free()
            self._film = (item, gl.Texture(frames[number]), number)
        elif self._film[2] != number:
            self._film[1].replace(frames[number])
            self._film = (item, self._film[1], number)
        return self._film[1]

    def _image(self, texture: gl.Texture) -> None:
        """In the square, whole, undistorted."""
        longer = max(texture.width, texture.height)
        self._square()
        self._paper(texture, (texture.width / longer, texture.height / longer))

    def _text(self, text: str) -> None:
        """In the middle of the window, pixel for pixel, unless it is too wide."""
        texture = self._words[text]
        width, height = self._size_px
        fit = min(1.0, 0.95 * width / texture.width, 0.95 * height / texture.height)
        GL.glEnable(GL.GL_BLEND)
        GL.glBlendFunc(GL.GL_SRC_ALPHA, GL.GL_ONE_MINUS_SRC_ALPHA)
        self._paper(texture, (fit * texture.width / width, fit * texture.height / height))
        GL.glDisable(GL.GL_BLEND)

    def _paper(self, texture: gl.Texture, scale: tuple[float, float]) -> None:
        self._textured.use()
        self._textured.set("place", (*scale, 0.0, 0.0))
        self._textured.set("colour", LIGHT)
        texture.bind()
        self._page.draw()

    def _shape(self, triangles: gl.Triangles, colour: tuple[float, float, float, float]) -> None:
        self._square()
        self._plain.use()
        self._plain.set("place", (1.0, 1.0, 0.0, 0.0))
        self._plain.set("colour", colour)
        triangles.draw()

    def _patch(self, colour: tuple[float, float, float, float]) -> None:
        """In the lower left corner."""
        side = round(PATCH * min(self._size_px))
        GL.glViewport(0, 0, side, side)
        GL.glDisable(GL.GL_DEPTH_TEST)
        self._plain.use()
        self._plain.set("place", (1.0, 1.0, 0.0, 0.0))
        self._plain.set("colour", colour)
        self._unit.draw()

    def _square(self) -> None:
        width, height = self._size_px
        side = round(SQUARE * min(width, height))
        GL.glViewport((width - side) // 2, (height - side) // 2, side, side)

    def _write(self, text: str) -> None:
        if text not in self._words:
            self._words[text] = gl.Texture(written(text, round(LETTERS * min(self._size_px))))


def said(step: Step) -> str:
    """The words of a step, "" where it has none."""
    if step.screen is Screen.WORD:
        return step.text.replace("_", " ")
    if step.screen is Screen.QUESTION:
        (no, _), (yes, _) = step.keys
        return f"Was it: {step.text.replace('_', ' ')}?\n\nno: {no} key        yes: {yes} key"
    if step.screen is Screen.READING:
        return f"What did you see?\n\n{step.text}"
    if step.screen is Screen.BREAK:
        return step.text or ("Break\n\nPress the space bar to go on." if step.waits else "Break")
    return ""
