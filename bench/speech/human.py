# SPDX-License-Identifier: Apache-2.0
"""What people say in the packages of the distribution, in English, and what it is: words and short phrases of some seven speakers. None of it is
heard while the front end is trained."""
import re
from pathlib import Path

ALLISON = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
DIGITS = {**dict(enumerate("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
                           "eighteen nineteen twenty".split())), 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()
MONTHS = "january february march april may june july august september october november december".split()
SPELT = dict(zip("abcdefghijklmnopqrstuvwxyz", "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec "
                 "romeo sierra tango uniform victor whiskey xray yankee zulu".split()))
SAID = {"x": "x ray", "xray": "x ray"}
PHRASES = {"goodbye": "goodbye", "minute": "minute", "minutes": "minutes", "hours": "hours", "seconds": "seconds", "extension": "extension",
           "invalid": "invalid", "cancelled": "cancelled", "removed": "removed", "please-try-again": "please try again", "one-moment-please": "one moment please",
           "im-sorry": "i'm sorry", "vm-deleted": "message deleted", "vm-incorrect": "login incorrect", "vm-messages": "messages", "vm-password": "password",
           "vm-received": "received", "vm-goodbye": "goodbye", "vm-first": "first", "vm-last": "last", "vm-Friends": "friends", "vm-Family": "family", "vm-Work": "work"}


def found():
    """(words, file): each file that is there."""
    pairs = [(w, ALLISON / "digits" / f"{n}.wav") for n, w in DIGITS.items()]
    pairs += [(w, ALLISON / "digits" / f"day-{i}.wav") for i, w in enumerate(DAYS)] + [(w, ALLISON / "digits" / f"mon-{i}.wav") for i, w in enumerate(MONTHS)]
    pairs += [(SAID.get(w, w), ALLISON / "phonetic" / f"{c}_p.wav") for c, w in SPELT.items()]
    pairs += [(w, ALLISON / f"{name}.wav") for name, w in PHRASES.items()]
    pairs += [(p.stem.replace("_", " ").lower(), p) for p in sorted(Path("/usr/share/sounds/alsa").glob("*_*.wav"))]
    for p in sorted(Path("/usr/share/ktuberling/sounds/en").glob("*.ogg")):
        word = re.sub(r"^(egypt|moon|pizzeria|tv|xmas|butterflies|robot_workshop)_", "", p.stem).replace("_", " ")
        if "-" not in word and "theme" not in word:
            pairs.append((word, p))
    for lang in ("en", "en_GB"):
        pairs += [(p.stem, p) for p in sorted(Path(f"/usr/share/klettres/{lang}/syllab").glob("*.ogg")) if len(p.stem) > 2 or p.stem in ("me", "my", "no", "or")]
    return [(w, p) for w, p in pairs if p.exists()]
