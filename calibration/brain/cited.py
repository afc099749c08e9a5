"""The numbers a simulated participant is made of, each with its source.

Every entry says how its source stands: `read` was looked up while this was written (abstract or full text), `memory` is
quoted from knowledge of the literature and rounded, `chosen` has no source that could be copied. `RANGES` are what the
finished EEG is held to, seed by seed, by tests/calibration/test_participant_cited.py; decision 0115 has the table.
"""

from dataclasses import dataclass

# --- Where sources are -----------------------------------------------------------------------------------------------

# MNI coordinates in mm of the right hemisphere. memory: V1, V3A, V4 from retinotopic atlases (Wang et al. 2015, Cereb
# Cortex 25:3911), LOC Grill-Spector et al. 2001 (Vision Res 41:1409), FFA Kanwisher et al. 1997 (J Neurosci 17:4302),
# PPA Epstein & Kanwisher 1998 (Nature 392:598), EBA Downing et al. 2001 (Science 293:2470), MT Dumoulin et al. 2000
# (Cereb Cortex 10:454), IPS Swisher et al. 2007 (J Neurosci 27:5326), hand area Yousry et al. 1997 (Brain 120:141).
AREAS_MNI_MM: dict[str, tuple[float, float, float]] = {
    "V1": (10, -92, 0),
    "V4": (30, -78, -12),
    "V3A": (26, -84, 24),
    "LOC": (43, -72, -10),
    "EBA": (48, -70, 2),
    "FFA": (40, -54, -18),
    "PPA": (26, -46, -10),
    "MT": (44, -64, 6),
    "IPS": (26, -64, 46),
    "MFC": (6, 30, 36),
    "M1": (38, -22, 56),
}
EYES_MNI_MM = ((32.0, 70.0, -30.0), (-32.0, 70.0, -30.0))
PLACE_SD_M = 0.005  # memory: functional areas scatter by 5 to 10 mm between people (Frost & Goebel 2012)
HEAD_SD = 0.04  # memory: head breadth and length vary by 4 to 5 % (Ball et al. 2010, Appl Ergon 41:832)
FOLDING_RAD = 0.4  # chosen: how far a source turns from the radial direction; the cortex is one's own


# --- Evoked responses ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wave:
    """One wave of an evoked response: its mean peak at `electrodes` in the average reference, and who makes it."""

    name: str
    latency_s: float
    sd_s: float
    peak_uv: float
    electrodes: tuple[str, ...]
    areas: tuple[str, ...]


# Of a picture, at the strong end of what people have: an attentive observer, large pictures, a shielded room.
# memory: C1, P1, P2, N250 Luck 2014 (Introduction to the ERP Technique, 2nd ed.), Di Russo et al. 2002 (Hum Brain Mapp
# 15:95); P1 of 4 to 8 uV and N170 of single observers -4 to -10 uV: Rossion & Jacques 2008 (NeuroImage 39:1959), ERP
# CORE, Kappenman et al. 2021 (NeuroImage 225:117465). read: N170 -4.2 to -6.4 uV over conditions at PO7, PO8, P7, P8.
# Waves overlap: in the finished EEG P1 comes to 5 uV of its 7.5, the N170 to -5.7.
PICTURE = (
    Wave("C1", 0.075, 0.010, 1.5, ("POz", "Oz", "Iz"), ("V1",)),
    Wave("P1", 0.105, 0.014, 7.5, ("O1", "O2", "PO7", "PO8"), ("V1", "V4", "V3A", "LOC")),
    Wave("N170", 0.168, 0.018, -6.5, ("P7", "P8", "PO7", "PO8"), ("LOC", "EBA", "FFA", "PPA")),
    Wave("P2", 0.225, 0.024, 5.0, ("PO3", "PO4", "POz"), ("V4", "V3A", "LOC", "IPS")),
    Wave("N250", 0.280, 0.030, -3.5, ("P7", "P8", "TP9", "TP10"), ("EBA", "FFA", "PPA")),
    Wave("late", 0.420, 0.090, 3.5, ("Pz", "P1", "P2"), ("LOC", "PPA", "IPS")),
)
# memory: P3b of rare targets 5 to 15 uV, 300 to 500 ms at Pz (Polich 2007, Clin Neurophysiol 118:2128).
TARGET = (Wave("P3b", 0.400, 0.075, 6.0, ("Pz", "CPz"), ("IPS",)),)
# read: N2 of motion onset at 135 to 180 ms, from extrastriate temporo-occipital cortex (Kuba & Kubova 1992, Doc
# Ophthalmol 80:83), 160 to 200 ms (Kuba et al. 2007, Vision Res 47:189). memory: -5 to -10 uV for large fields; an
# object that starts to turn is a weak stimulus: chosen -3.5.
MOTION_ONSET = (
    Wave("motion P1", 0.120, 0.020, 1.0, ("O1", "Oz", "O2"), ("V1", "V3A")),
    Wave("motion N2", 0.170, 0.025, -3.5, ("P7", "P8", "PO7", "PO8"), ("MT", "V3A")),
    Wave("motion P2", 0.250, 0.040, 2.0, ("POz", "PO3", "PO4"), ("MT", "IPS")),
)
# chosen: half of a picture's P1, later; offset responses are smaller and less well described (Parker et al. 1982).
OFFSET = (
    Wave("off P1", 0.120, 0.020, 3.0, ("O1", "O2", "PO7", "PO8"), ("V1", "V3A", "LOC")),
    Wave("off N1", 0.190, 0.025, -2.0, ("P7", "P8", "PO7", "PO8"), ("LOC", "V4")),
)
# memory: movement-evoked potential I (reafference) about 90 ms after the press, -3 to -6 uV over the contralateral hand
# area (Shibasaki & Hallett 2006, Clin Neurophysiol 117:2341). The Bereitschaftspotential comes before the press, which
# no marker announces: it is missing.
PRESS = (Wave("motor", 0.100, 0.030, -4.0, ("C3", "CP3", "C1"), ("M1",)),)
PLAIN_SCREEN = 0.5  # chosen: a word, a question or a cross evokes half of what a picture does, and always the same

LATENCY_SD_S = 0.006  # of a wave between people (memory: N170 148 to 196 ms, Rossion & Jacques 2011)
AMPLITUDE_SD = 0.25  # log, of a wave between people (memory: amplitudes vary by a factor of 2, Luck 2014)
SILENT_S = 0.04  # nothing reaches the cortex sooner (memory: C1 begins at 50 ms, Di Russo et al. 2002)
JITTER_S = 0.005  # chosen: latency from trial to trial
GAIN_SD = 0.3  # chosen: log amplitude from trial to trial

# --- Tuning: how far stimuli differ. The one free choice; decision 0115 says how it was made --------------------------

TUNING_SD = 2.0  # of an area's liking over the built-in set, relative to its mean answer, before it is cut off at 0
LATENCY_TUNING_S = 0.006
INDIVIDUAL = 0.5  # share of the tuning's variance that is a participant's own

# --- Moving pictures, imagery, flicker --------------------------------------------------------------------------------

SUSTAINED_UV = 1.2  # chosen: standard deviation over a turn at the area's best electrodes, below the sustained
SUSTAINED_LAG_S = 0.110  # visual negativity of 1 to 2 uV (memory); the lag is that of P1 and the motion response (read)
SUSTAINED_SMOOTH_S = 0.060
# read: imagery is decoded later than perception, its waves from 160 and 300 ms on return, the earliest do not (Dijkstra
# et al. 2018, eLife 7:e33904); what it shares with perception is in posterior alpha (Xie et al. 2020, Curr Biol
# 30:2621). memory: activity is a fraction of perception's (Pearson 2019, Nat Rev Neurosci 20:624). chosen: 0.2.
IMAGERY = 0.2
IMAGERY_S = (0.5, 4.0)  # rises, lasts
IMAGERY_JITTER_S = 0.1  # bounded by twice this
IMAGERY_ALPHA = 0.15  # standard deviation of alpha's gain at a source over categories
# read: amplitude peaks at 10 Hz with a second maximum near 20 Hz on a monitor (Beijing Biomed Eng 2019); 12 to 18 Hz is
# a plateau (Kus et al. 2013, PLoS ONE 8:e77536); second harmonic 0.3 to 0.5 of the first for small stimuli (Front Hum
# Neurosci 2020, 14:343). memory: 2 to 6 uV at Oz (Vialatte et al. 2010, Prog Neurobiol 90:418).
FLICKER_UV = 3.5
FLICKER_AT = ("O1", "Oz", "O2", "POz")
FLICKER_AREAS = ("V1", "V4", "V3A")
FLICKER_HZ = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0)
FLICKER_GAIN = (0.4, 0.6, 1.0, 0.9, 0.7, 0.3, 0.2, 0.05)
FLICKER_HARMONICS = (1.0, 0.4, 0.15)

# --- Ongoing activity ------------------------------------------------------------------------------------------------

BACKGROUND_SOURCES = 80
BACKGROUND_UV2_HZ = 0.5  # at 10 Hz; chosen, a quiet shielded recording: S001R03 of eegmmidb has 9 uV^2/Hz
EXPONENT = (1.1, 0.1, 0.9, 1.4)  # mean, sd, least, most; memory: awake adults 0.7 to 1.6 (Donoghue et al. 2020)
ALPHA_HZ = (10.0, 0.8, 8.5, 11.8)  # memory: Klimesch 1999, Brain Res Rev 29:169
ALPHA_UV = (4.0, 0.25)  # eyes open, posterior; log sd between people: chosen
ALPHA_FALLS = 0.35  # memory: desynchronisation of 20 to 50 % in power and more (Pfurtscheller & Lopes da Silva 1999)
ALPHA_FALLS_TURN = 0.25
ALPHA_TUNING = 0.08  # chosen: how far the fall differs between stimuli
THETA_HZ = (5.8, 0.5, 4.8, 6.8)  # mean, sd, least, most: chosen within 4 to 8 Hz
THETA_UV = 2.0  # chosen: theta at a source's best electrodes, half of alpha
THETA_AREAS = ("V1", "LOC", "IPS", "MFC")

# read: theta (4 to 8 Hz) phase modulates gamma in human cortex, more so at larger theta (Canolty et al. 2006, Science
# 313:1626); high gamma is coupled to theta and alpha troughs, more so in visual areas in visual tasks (Voytek et al.
# 2010, Front Hum Neurosci 4:191); scalp EEG: Friese et al. 2013 (NeuroImage 66:642), Koster et al. 2014 (Brain Res
# 1577:57). memory: amplitude swings by 10 to 40 % within a cycle in the cortex. At the scalp most of what lies above
# 20 Hz is EMG (Whitham et al. 2007, Clin Neurophysiol 118:1877, read), and the cortex's share is below 1 uV (memory).
GAMMA_HZ = ((30.0, 45.0), (60.0, 90.0))
GAMMA_UV = (0.9, 0.4)  # chosen, the strong end: half of what else is in the band there
COUPLING_DEPTH = (0.4, 0.05)
PREFERRED_RAD = (3.14159, 0.5)  # the trough of theta
COUPLING_TUNING = 0.5  # chosen: standard deviation over stimuli of the depth, relative to the depth at rest
PREFERRED_TUNING_RAD = 0.6  # chosen: of the preferred phase
GAMMA_RISES = 0.3  # memory: induced gamma of 10 to 40 % in MEG (Hoogenboom et al. 2006, NeuroImage 29:764)

# --- Eyes, muscles, electrodes, fatigue ------------------------------------------------------------------------------

BLINK_UV = 150.0  # at Fp1 and Fp2, memory
BLINKS_PER_MIN = 17.0  # memory: Bentivoglio et al. 1997, Mov Disord 12:1028
# memory: 16 uV a degree between the outer canthi (Luck 2014), less upwards (Lins et al. 1993, Brain Topogr 6:51).
GAZE_UV_DEG = (14.0, 6.0)  # to the right, F8 against F7; upwards, Fp1 and Fp2 against Oz
PICTURE_DEG = 8.0  # chosen: how wide a picture is seen
PURSUIT_GAIN, PURSUIT_LAG_S = 0.9, 0.12  # memory: Lisberger 2015, Annu Rev Vis Sci 1:447
CATCH_UP_DEG = 0.4  # chosen: the error at which a saccade catches up, 120 ms later by its own latency
ATTRACTED = 0.6  # chosen: how far the eye follows the silhouette's centroid rather than the fixation point
GAZE_GAIN_SD = 0.5
SACCADES_PER_S, SACCADE_DEG = 1.2, 0.3  # read: once or twice a second, 0.3 degrees on average (Dimigen et al. 2009)
SPIKE_UV = 4.0  # at frontal electrodes for one degree; memory: Keren et al. 2010, NeuroImage 49:2248
MUSCLE_UV = 1.2  # median over rim electrodes; read: EMG grows from the vertex to the rim (Pope et al. 2022)
FAULTS_PER_MIN, POPS_PER_MIN = 0.15, 0.25  # chosen
# read: with an hour on task theta and alpha power rise by 29 % and 44 % (Trejo et al. 2015, Psychology 6:572): 20 % in
# alpha's amplitude. memory: evoked potentials fall by 10 to 20 % (Boksem et al. 2005), blinks rise by a third to a half
# (Stern et al. 1994).
FATIGUE_S, ALPHA_TIRED, BLINKS_TIRED, EVOKED_TIRED = 2400.0, 0.25, 0.45, 0.15


@dataclass(frozen=True)
class Range:
    """What a measurement on generated EEG must come to, seed by seed (`each`) and on average (`mean`)."""

    each: tuple[float, float]
    mean: tuple[float, float]


RANGES: dict[str, Range] = {
    "P1 latency, ms": Range((85, 130), (95, 120)),
    "P1 amplitude, uV": Range((2.0, 13.0), (4.0, 8.0)),
    "N170 latency, ms": Range((145, 200), (155, 185)),
    "N170 amplitude, uV": Range((-13.0, -2.0), (-8.0, -4.0)),
    "alpha peak, Hz": Range((8.0, 12.5), (9.0, 11.0)),
    "aperiodic exponent": Range((0.7, 1.6), (0.8, 1.4)),
    "SSVEP at 12 Hz, uV": Range((0.8, 9.0), (1.5, 6.0)),
    "motion N2 latency, ms": Range((135, 210), (150, 195)),
    # Chosen: there is no norm for the scalp. Without coupling it is 0.6 to 1.0.
    "coupling over chance": Range((1.2, 8.0), (1.5, 5.0)),
}
