"""Reading requests: which item of the taxonomy a resident's words ask for.

`words` says what a text is known by, `lessons` what there is to learn from, `fitting` learns, `model` reads, `measures` judges.
No model is downloaded: what it knows beyond the taxonomy's own names and phrases is two lists of related words. numpy and
scipy are loaded when they are first needed.
"""

from services.matching.classify.fitting import fit
from services.matching.classify.model import METHOD, THRESHOLD, Choice, Model, Reading
from services.matching.classify.words import grams

__all__ = ["METHOD", "THRESHOLD", "Choice", "Model", "Reading", "fit", "grams"]
