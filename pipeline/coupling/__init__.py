"""Phase-amplitude coupling: how much the amplitude of a fast rhythm follows the phase of a slow one.

`index` the modulation index of Tort et al. 2010 and its maps; `analytic` phase and amplitude of a band, exact and fast;
`bands` which pairs of bands mean anything; `surrogates` what the index would be by chance; `comodulogram` one channel
over many pairs; `trials` single trials, within a window and across two; `live` the fast path of the live map.

A large index on the scalp is no proof of coupling in the cortex (`CAVEAT`); besides, sharp waves couple to themselves,
and a common reference spreads one channel's coupling to all.
"""

from pipeline.coupling.bands import CouplingBands
from pipeline.coupling.index import N_BINS, modulation_index, modulation_index_from, modulation_map
from pipeline.coupling.live import Estimate, LiveEstimator

CAVEAT = (
    "Above 20 Hz much of what the scalp shows is muscle (Whitham et al. 2007, Clin Neurophysiol 118:1877) and the "
    "twitch of the eyes (Yuval-Greenberg et al. 2008, Neuron 58:429): coupling here is no proof of coupling in the "
    "cortex."
)

__all__ = [
    "CAVEAT",
    "N_BINS",
    "CouplingBands",
    "Estimate",
    "LiveEstimator",
    "modulation_index",
    "modulation_index_from",
    "modulation_map",
]
