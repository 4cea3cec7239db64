"""A service's image holds the files that `deploy/Dockerfile` names, and no others: the command starts from those alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
START = """
import sys
# Without the finder of an editable installation, which would find here what the image lacks.
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
import deploy.cli, deploy.running, deploy.serving, deploy.workers
print(deploy.__file__)
"""


def test_a_command_starts_from_what_an_image_holds(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    (stage,) = re.findall(r"(?ms)^FROM base AS code$(.*?)^# ---", text)
    for line in re.findall(r"(?m)^COPY (.*)$", stage):
        *names, target = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tmp_path / target, dirs_exist_ok=True)
            else:
                (tmp_path / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, tmp_path / target)
    done = subprocess.run([sys.executable, "-c", START], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(tmp_path)), done.stderr
