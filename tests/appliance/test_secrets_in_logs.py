"""The first start makes PINs and passwords; not even the most talkative log has them or what can be made of them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tomllib
from pathlib import Path

from appliance.demo import children, site


def test_at_debug_level_the_log_has_no_pin_no_password_no_hash(tmp_path: Path) -> None:
    made = site.make(tmp_path / "box", "127.0.0.1", sip_port=0)

    async def main() -> str:
        arguments = ["--config", str(made.config), "--level", "debug"]
        child = await children.start("control", "appliance", arguments, made.base / "log")
        await children.wait_for(made.api, child)
        assert await child.stop()
        return child.log.read_text(encoding="utf-8")

    text = asyncio.run(main())
    assert "the control process is up" in text and "DEBUG" in text
    secrets = tomllib.loads(made.secrets.read_text(encoding="utf-8"))
    for account, password in secrets["passwords"].items():
        assert password not in text
        assert hashlib.md5(f"{account}:onecall:{password}".encode()).hexdigest() not in text
    assert not [pin for pin in secrets["pins"].values() if re.search(rf"\b{pin}\b", text)]
    assert "scrypt" not in text
