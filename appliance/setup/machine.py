"""How a changed settings file takes the place of the old one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from appliance.api.locale import Translate
from appliance.diagnosis import doctor
from appliance.setup.lines import SetupError


def put(config: Path, text: str, _: Translate) -> Path:
    """Put a settings file in place once every process can use it; the one before is kept beside it.

    Raises ``SetupError``: then the file is as it was.
    """
    new, old = config.with_name(config.name + ".new"), config.with_name(config.name + ".old")
    try:
        state = config.stat()
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if faults := [found.found for found in doctor.settings(new, _) if found.state == "fail"]:
            raise SetupError("\n".join(faults).replace(str(new), str(config)))
        new.chmod(state.st_mode & 0o7777)
        if os.geteuid() == 0:
            os.chown(new, state.st_uid, state.st_gid)
        shutil.copy2(config, old)
        new.replace(config)
    except OSError as error:
        raise SetupError(f"{error.filename}: {error.strerror}") from None
    finally:
        new.unlink(missing_ok=True)
    return old
