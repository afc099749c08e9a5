"""What is done with a stream that nobody has configured. Light to import: every session starts here."""

from dataclasses import replace

from calibration.store import eeg_names
from pipeline.preprocess import BAND_LIMIT, ChainConfig
from pipeline.types import StreamInfo

# The average of few electrodes is a poor zero, and takes from every one what they share (Junghoefer et al. 1999).
AVERAGE_FROM = 32


def default_chain(info: StreamInfo) -> ChainConfig:
    """The decoding chain for a stream: band within its rate, average reference only where there is a whole head."""
    chain = ChainConfig()
    assert chain.high_hz is not None
    many = len(eeg_names(info)) >= AVERAGE_FROM
    return replace(
        chain, high_hz=min(chain.high_hz, BAND_LIMIT * info.sfreq_hz), reference="average" if many else "none"
    )
