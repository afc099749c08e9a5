"""Reconstructions of planted trials: rows hang on what they say they do, floors on no trial, and tables tell so."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from calibration.decoding import reconstruct_scores
from calibration.decoding.alone import BOTH, PICTURE, STREAMS, TURN
from calibration.decoding.reconstruct import (
    MEAN,
    NEAREST,
    NOTHING,
    ROWS,
    SEEN,
    TRUE,
    mean_shape,
    reconstruct,
    table_row,
)
from calibration.decoding.reconstruct_dependency import dependencies
from calibration.decoding.reconstruct_report import not_made, tables, verdict
from calibration.decoding.reconstruct_scores import Measures, Scored, not_shared, over_participants, scored
from calibration.decoding.reconstruct_sheet import picture_sheet, shape_sheet
from calibration.metrics.shapes import chamfer, in_unit_sphere
from calibration.stimuli import evenly
from calibration.surface_view import surface_of
from engines.errors import WorkError
from engines.generators.base import NoSurface
from engines.generators.choose import Generators
from tests.calibration.decoding.planted import Templates, planted

N_CATEGORIES, EFFECT = 6, 0.8


class Coloured:
    """Items are boxes of one size for each category; pictures are the first three features as a plain colour."""

    name, simulated = "boxes", False

    def __init__(self, trials):
        self.items, self._targets = trials.items, trials.targets

    def picture(self, item):
        return plain(self._targets[self.items.index(item)])

    def mesh(self, item):
        return None

    def point_cloud(self, item):
        box = trimesh.creation.box((1, 1, 0.3 + 0.4 * int(item.category[1:])))
        return in_unit_sphere(trimesh.sample.sample_surface(box, 256, seed=int(item.object))[0])


class Painter:
    """Pictures of embeddings as the set paints them."""

    name, pocket, encoder, size_px = "painter", True, "made up", 32

    def pictures(self, embeddings, seeds):
        return np.stack([plain(one) for one in embeddings])

    def warm_up(self):
        """Nothing."""


class Potter:
    """Boxes as high as the first feature."""

    name, pocket, encoder = "potter", True, "made up"

    def surface(self, seen):
        return surface_of(trimesh.creation.box((1, 1, 0.3 + abs(float(seen.embedding[0])))))

    def warm_up(self):
        """Nothing."""


class FirstFeatures:
    """The mean colour and where it is brighter."""

    name, pocket = "pocket", True

    def features(self, pictures):
        step = pictures.shape[1] // 4
        return {"pocket": pictures[:, ::step, ::step].reshape(len(pictures), -1).astype(np.float32)}


class Colour:
    """Names a picture by its brightest channel; sure where it stands out."""

    name, pocket = "colour", True

    def logits(self, pictures):
        return (pictures.mean(axis=(1, 2)) / 4).astype(np.float32)


class Crowd:
    """Sixty classes, each at a place of the picture: the brightest wins."""

    name, pocket = "crowd", True

    def logits(self, pictures):
        flat = pictures.reshape(len(pictures), -1)
        return flat[:, :: flat.shape[1] // 60][:, :60].astype(np.float32)


class Height:
    """Names boxes by how high they are for their width."""

    name, categories = "pocket", tuple(f"c{k:02d}" for k in range(N_CATEGORIES))

    def values(self, surfaces):
        high = np.array([0.3 + 0.4 * k for k in range(N_CATEGORIES)])
        return np.array([
            np.full(N_CATEGORIES, np.nan) if one is None else
            -np.abs(np.ptp(one.vertices, axis=0)[2] / np.ptp(one.vertices, axis=0)[0] - high)
            for one in surfaces
        ])  # fmt: skip


def plain(features):
    ramp = np.linspace(0, 1, 32)[:, None, None] * features[3:6]
    return np.clip(100 + 20 * (features[:3] - 5) + 20 * ramp + np.zeros((32, 32, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def found():
    sets = (
        planted(range(7), N_CATEGORIES, 1, EFFECT),
        planted([7], N_CATEGORIES, 2, EFFECT, seed=1),
        planted([8, 9], N_CATEGORIES, 4, EFFECT, seed=2),
    )
    return sets, reconstruct(Templates(), *sets, Coloured(sets[0]), Generators(Painter(), Potter()))


@pytest.fixture(scope="module")
def table(found):
    return scored(
        found[1],
        Measures([FirstFeatures()], classifiers=[Crowd()], scored_by=[Colour()], namers=[Height()]),
        n_permutations=49,
    )


def test_every_row_has_a_picture_and_a_cloud_for_every_test_object(found) -> None:
    _, made = found
    assert [row.name for row in made.rows] == list(ROWS)
    assert {item.object for item in made.truth.items} == {"08", "09"}
    for row in made.rows:
        assert row.pictures is not None
        assert row.clouds is not None
        assert len(row.pictures) == len(row.clouds) == 2 * N_CATEGORIES


def test_floors_come_from_training_objects_alone(found) -> None:
    _, made = found
    assert {item.object for item in made.row(NEAREST).sources} <= {f"0{n}" for n in range(7)}
    mean = made.row(MEAN)
    assert mean.pictures is not None
    assert (mean.pictures == mean.pictures[0]).all()


def test_of_nothing_generators_make_one_thing_and_are_told_that_it_is_nothing(found) -> None:
    sets, made = found
    heard = []
    surface = Potter.surface

    class Listening(Potter):
        def surface(self, seen):
            heard.append(seen)
            return surface(self, seen)

    again = reconstruct(Templates(), *sets, Coloured(sets[0]), Generators(Painter(), Listening()))
    (nothing,) = [seen for seen in heard if seen.certainty == 0]
    training = sets[0]
    np.testing.assert_allclose(nothing.embedding, training.targets[np.unique(training.item)].mean(axis=0), rtol=1e-5)
    row = again.row(NOTHING)
    assert (row.pictures == row.pictures[0]).all() and all(cloud is row.clouds[0] for cloud in row.clouds)
    assert (row.pictures == made.row(NOTHING).pictures).all()


def test_the_nearest_neighbour_is_of_the_category_that_was_decoded(found) -> None:
    _, made = found
    right = [a.category == b.category for a, b in zip(made.truth.items, made.row(NEAREST).sources, strict=True)]
    assert np.mean(right) > 0.8


def test_embeddings_of_one_stream_differ_from_those_of_both(found) -> None:
    _, made = found
    assert set(made.embeddings) == {*STREAMS, TRUE, NEAREST}
    for streams in (PICTURE, TURN):
        assert np.abs(made.embeddings[streams] - made.embeddings[BOTH]).max() > 0.01


def test_what_was_decoded_is_identified_and_the_mean_stands_at_chance(table) -> None:
    cells = {(one.row, one.metric): one for one in table}
    own, mean = cells[BOTH, "2-way pocket"], cells[MEAN, "2-way pocket"]
    assert own.mean > 0.75
    assert own.p is not None
    assert own.p <= 0.05
    assert mean.mean == 0.5
    assert cells[TRUE, "2-way pocket"].mean >= own.mean


def test_all_pictures_together_are_as_far_from_what_was_seen_as_they_differ_from_it(found, table) -> None:
    cells = {(one.row, one.metric): one for one in table}
    frechet = {row: cells[row, "FID pocket"] for row in ROWS}
    assert frechet[TRUE].mean < 0.01 * frechet[MEAN].mean  # the painter's pictures are smaller
    assert frechet[TRUE].mean < frechet[BOTH].mean < frechet[MEAN].mean
    logits = Colour().logits(found[1].row(BOTH).pictures).astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    score = np.exp(np.mean(np.sum(p * np.log(p / p.mean(axis=0)), axis=1)))
    assert cells[BOTH, "IS pocket"].mean == pytest.approx(score) and score > 1
    assert cells[MEAN, "IS pocket"].mean == pytest.approx(1)


def test_one_number_of_all_pictures_has_no_interval_and_says_that_they_are_few(table) -> None:
    (together,) = [one for one in tables(table, "objects", ()) if "All pictures together" in one["title"]]
    assert together["head"][1:] == ["FID pocket ↓", "IS pocket"]
    assert all("[" not in cell for row in together["rows"] for cell in row)
    assert "12 pictures in 48 dimensions" in together["title"]


def test_tables_name_every_row_and_the_verdict_both_floors(table) -> None:
    told = tables(table, "objects", ("simulated participant",))
    looks = [one for one in told if "from four sides" in one["title"]]
    assert [row[0] for row in looks[0]["rows"]] == [SEEN, *ROWS]
    assert all([row[0] for row in one["rows"]] == list(ROWS) for one in told[:-1] if one not in looks)
    assert all(len(row) == len(one["head"]) for one in told for row in one["rows"])
    assert all("simulated participant" in one["title"] for one in told[:-1])
    text, colour = verdict(table)
    assert NEAREST in text
    assert MEAN in text
    assert colour == "good"


def test_shapes_are_named_as_what_was_seen_by_whoever_names_the_truth_so(table) -> None:
    cells = {(one.row, one.metric): one for one in table}
    seen, own, mean = (cells[row, "3D 2-way top-1 pocket"] for row in (SEEN, BOTH, MEAN))
    assert seen.mean == 1.0 and seen.p is not None and seen.p <= 0.05
    assert mean.mean == pytest.approx(0.5) and mean.p is not None and mean.p > 0.5
    assert own.n == 2 * N_CATEGORIES and 0 <= own.mean < 1
    assert not any(one.metric.startswith("3D 10-way") for one in table)  # of six categories


def test_generation_accuracy_is_told_over_all_draws_and_over_fifty(table) -> None:
    cells = {(one.row, one.metric): one for one in table}
    for row in ROWS:
        every, drawn = cells[row, "GA 50-way, crowd"], cells[row, "GA 50-way, crowd, 50 repeats"]
        assert len(drawn.draws) == 50 and drawn.mean == pytest.approx(every.mean, abs=0.06)
    (told,) = [one for one in tables(table, "objects", ()) if "generation accuracy" in one["title"]]
    column = told["head"].index("GA 50-way, crowd, 50 repeats")
    assert all(" ± " in row[column] for row in told["rows"])


class Fragile(Potter):
    """Finds no surface, or breaks, by the sign of the first two features."""

    def surface(self, seen):
        if seen.embedding[0] < 0:
            raise NoSurface("nothing there")
        if seen.embedding[1] < 0:
            raise WorkError("out of memory")
        return super().surface(seen)


def test_no_surface_is_counted_and_any_other_failure_ends_the_work(found) -> None:
    embeddings = np.array([[1, 1], [-1, 1], [2, 1]], np.float32)
    row = table_row(Generators(None, Fragile()), BOTH, embeddings, [1, 2, 3], 1.0)
    assert row.n_not_made == 1 and [one is None for one in row.surfaces] == [False, True, False]
    with pytest.raises(WorkError, match="out of memory"):
        table_row(Generators(None, Fragile()), BOTH, -embeddings, [1, 2, 3], 1.0)


def test_a_row_without_any_surface_stays_in_the_table_and_says_how_many(found, monkeypatch) -> None:
    monkeypatch.setattr(reconstruct_scores, "aligned", lambda made, truth: made)
    _, made = found
    n = len(made.truth.items)
    none = replace(made.row(BOTH), surfaces=(None,) * n, clouds=(None,) * n)
    few = replace(made.row(PICTURE), surfaces=(None, *made.row(PICTURE).surfaces[1:]),
                  clouds=(None, *made.row(PICTURE).clouds[1:]))  # fmt: skip
    lacking = replace(made, rows=(none, few))
    cells = scored(lacking, Measures([FirstFeatures()], namers=[Height()]), n_permutations=9)
    told = tables(cells, "objects", (), not_made([lacking]))
    (shapes,) = [one for one in told if "as they were made" in one["title"]]
    first, second = shapes["rows"]
    assert first == [BOTH, *["n/a"] * 5, f"{n} of {n}"]
    assert second[-1] == f"1 of {n}" and "n/a" not in second
    looks = {one.row: one.mean for one in cells if one.metric == "3D 2-way top-1 pocket"}
    assert looks[BOTH] == 0


def test_the_verdict_goes_by_published_networks_before_the_one_that_taught_the_generators() -> None:
    cells = [Scored(BOTH, f"2-way {judge}", mean, (mean - 0.1, mean + 0.1), 0.5, 0.01, 10)
             for judge, mean in (("pocket", 0.9), ("AlexNet 5", 0.8), ("CLIP", 0.45))]  # fmt: skip
    assert [verdict(cells[:n])[1] for n in (1, 2, 3)] == ["good", "good", "bad"]
    assert "80.0 %" in verdict(cells[:2])[0] and "2-way CLIP" in verdict(cells)[0]
    shape = replace(cells[0], metric="3D 2-way top-1 pocket")
    assert "the category that was seen" in verdict([shape])[0]
    assert "the category" not in verdict([shape, cells[0]])[0]


def test_what_one_participant_lacks_is_named_and_not_pooled() -> None:
    one = [Scored(BOTH, metric, 0.5, (0.4, 0.6), None, None, 10) for metric in ("SSIM", "F 0.05")]
    assert [cell.metric for cell in over_participants([one, one[:1]])] == ["SSIM"]
    assert not_shared({"a": one, "b": one[:1]}) == [
        f"not in the tables over participants: F 0.05 of {BOTH!r}, which b lacks"
    ]
    assert not_shared({"a": one, "b": one}) == []


def test_shares_have_intervals_within_0_and_1_and_cautions_of_all_participants_are_told() -> None:
    def of(mean: float, chance: float | None, caution: str) -> list[Scored]:
        return [Scored(BOTH, "x", mean, None, chance, None, 3, caution=caution)]

    (share,) = over_participants([of(0.99, 0.5, "few"), of(0.9, 0.5, "fewer")])
    (other,) = over_participants([of(0.99, None, "few"), of(0.9, None, "few")])
    assert share.ci95 is not None and share.ci95[1] == 1.0 and other.ci95 is not None and other.ci95[1] > 1
    assert (share.caution, other.caution) == ("few; fewer", "few")


def test_several_participants_are_the_unit_of_the_interval() -> None:
    def of(mean: float) -> list[Scored]:
        return [Scored(BOTH, "2-way pocket", mean, (0.1, 0.9), 0.5, 0.01, 10, (0.4, 0.6, 0.5))]

    (pooled,) = over_participants([of(0.6), of(0.7), of(0.8)])
    assert pooled.mean == pytest.approx(0.7)
    assert pooled.ci95 == pytest.approx((0.7 - 4.303 * 0.1 / 3**0.5, 0.7 + 4.303 * 0.1 / 3**0.5), abs=1e-3)
    assert pooled.p == 0.25
    assert pooled.n == 30


def test_the_mean_shape_is_nearer_to_every_shape_than_a_strange_one_is() -> None:
    rng = np.random.default_rng(0)
    boxes = [trimesh.creation.box((1, 1, height)) for height in np.linspace(0.5, 1.5, 8)]
    clouds = [in_unit_sphere(trimesh.sample.sample_surface(box, 512, seed=1)[0]) for box in boxes]
    mean = mean_shape(clouds[:-1], clouds[-1:])
    rod = in_unit_sphere(rng.normal(size=(512, 3)) * (0.01, 0.01, 1))
    assert all(chamfer(mean, cloud) < chamfer(rod, cloud) for cloud in clouds)


class Grain(Painter):
    """Noise of the seed alone."""

    def pictures(self, embeddings, seeds):
        return np.stack([np.random.default_rng(seed).integers(0, 255, (24, 24, 3), dtype=np.uint8) for seed in seeds])


class Shade:
    """How bright a place is."""

    name, pocket = "shade", True

    def layers(self, pictures):
        return [np.stack([pictures.mean(axis=3), 255 - pictures.mean(axis=3)], axis=1).astype(np.float32)]


def test_the_control_of_the_dependency_index_differs_by_its_eeg_and_not_by_its_seed(found) -> None:
    _, made = found
    seeds, truth = made.seeds[:2], replace(made.truth, items=made.truth.items[:2])
    embeddings = {streams: made.embeddings[streams][:2] for streams in STREAMS}
    rows = tuple(replace(made.row(streams), pictures=Grain().pictures(embeddings[BOTH], seeds)) for streams in STREAMS)
    few = replace(made, truth=truth, rows=rows, embeddings=embeddings, seeds=seeds, simulated=False)
    told = dependencies(few, Shade(), Grain())
    assert len(told.shuffled) == 2
    assert all(one.from_turn.max() < 1e-6 > one.from_picture.max() for one in (*told.own, *told.shuffled))


def test_contact_sheets_have_a_row_for_each_object_shown(found) -> None:
    _, made = found
    few, all_ = (picture_sheet(made, ("simulated",), places, "S1") for places in ([0], evenly(12)))
    assert all_.shape[0] > 2 * few.shape[0] - 100
    assert shape_sheet(made, ("simulated",), [0], "S1").shape[1] > 500
    assert evenly(144, 4) == [0, 47, 95, 143]
