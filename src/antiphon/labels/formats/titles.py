"""Titles that label tables in use give their columns, as keys (no case, spaces, marks or units)."""

from __future__ import annotations


def _keys(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RECORDING = _keys(
    "recording recordingname recordingpath filename filepath file path audiofilename audiofile "
    "audiopath audio wavfilename wavfile wav soundfile soundfiles sound beginpath beginfile "
    "infile fname clip clipname"
)
START = _keys(
    "starts start starttime starttimes startsec startsecond startseconds startoffsets startoffset "
    "begins begin begintime begintimes onsets onset onsettime tstart tmin mintime"
)
END = _keys(
    "ends end endtime endtimes endsec endsecond endseconds endoffsets endoffset stop stops "
    "stoptime offsets offset offsettime tend tmax maxtime"
)
DURATION = _keys("duration durations durationsec durationseconds lengths")
LOW = _keys(
    "lowhz lowfreq lowfreqhz lowfrequency low lowf minfrq minfreq minfreqhz minfrequency freqmin "
    "fmin freqlow frequencymin frequencylow bottomfreq lowkhz lowfreqkhz minfreqkhz"
)
HIGH = _keys(
    "highhz highfreq highfreqhz highfrequency high highf maxfrq maxfreq maxfreqhz maxfrequency "
    "freqmax fmax freqhigh frequencymax frequencyhigh topfreq highkhz highfreqkhz maxfreqkhz"
)
LABEL = _keys(
    "label labels primarylabel labelspecies species speciesname annotation annotations commonname "
    "scientificname name class classname category tag tags calltype eventlabel speciescode "
    "ebirdcode"
)
PRESENCE = _keys("presence labeltype")
CONFIDENCE = _keys("confidence conf score probability prob")
ANNOTATOR = _keys("annotator annotatedby observer reviewer user provenance")
NOTE = _keys("note notes comment comments remark remarks")

KNOWN = frozenset().union(
    *(RECORDING, START, END, DURATION, LOW, HIGH, LABEL, PRESENCE, CONFIDENCE, ANNOTATOR, NOTE),
    ("channel", "scope"),
)
