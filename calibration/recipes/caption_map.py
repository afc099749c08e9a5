"""On which pictures a map from embeddings to a captioner's features is fitted, and on which it is judged.

    the built-in set    objects 00 to 06, judged on objects 07
    any other set       at most `MOST` of its pictures, evenly among all, each judged by a fit without it

Thread: the one that called; `progress` is called from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.decoding.reconstruct_truth import pictures_of
from calibration.objects.builtin import BuiltIn
from calibration.objects.catalogue import SELECTION, TRAINING
from calibration.recipes.feature_map import HasFeatures, feature_map, unexplained
from calibration.recipes.progress import Progress
from calibration.stimuli import Item, StimulusSet, evenly
from engines.generators.feature_map import FeatureMap
from engines.vision.base import Embeddings, PictureEncoder

MOST = 1000
"""Pictures: the features of so many take GIT a gigabyte."""


@dataclass(frozen=True, eq=False)
class CaptionMap:
    """`fitted` on pictures of the set `stimuli`; `unexplained_07` the share of the variance that it misses on objects
    07 of the built-in set, None where it was fitted on another.
    """

    fitted: FeatureMap
    stimuli: str
    unexplained_07: float | None


def train(
    captioner: HasFeatures, encoder: PictureEncoder, stimuli: StimulusSet, progress: Progress = lambda share: None
) -> CaptionMap:
    """Fit the map from embeddings of `encoder` to what `captioner` sees in the pictures of `stimuli`.

    Raises:
        InputError: fewer than three pictures, or all of them the same.
        SetUnusable: a picture is missing or damaged.
        WorkError: there was not enough memory.
    """
    fitted_on, judged_on = chosen(stimuli)
    done, n = 0, len(fitted_on) + len(judged_on)

    def seen(more: int) -> None:
        nonlocal done
        done += more
        progress(done / n)

    pictures = pictures_of(stimuli, fitted_on)
    fitted = feature_map(captioner, Embeddings.of(encoder, pictures), pictures, seen=seen)
    if not judged_on:
        return CaptionMap(fitted, stimuli.name, None)
    others = pictures_of(stimuli, judged_on)
    return CaptionMap(
        fitted, stimuli.name, unexplained(fitted, captioner, Embeddings.of(encoder, others), others, seen)
    )


def chosen(stimuli: StimulusSet) -> tuple[Sequence[Item], Sequence[Item]]:
    """The items that the map is fitted on, and those besides that it is judged on."""
    if isinstance(stimuli, BuiltIn):
        fitted_on, judged_on = (
            tuple(item for item in stimuli.items if int(item.object) in numbers) for numbers in (TRAINING, SELECTION)
        )
        return fitted_on, judged_on
    places = evenly(len(stimuli.items), MOST)
    return tuple(stimuli.items[place] for place in places), ()
