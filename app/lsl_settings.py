"""What liblsl is told before it is loaded. A configuration of the user's, wherever LSL looks for one, is obeyed."""

import os
import tempfile
from pathlib import Path

# liblsl reads its configuration once, before the first stream; child processes inherit the variable.
QUIET = """\
[log]
level = -3
"""
WITHIN_THIS_MACHINE = """\
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = afterimage-demo-{process}
[log]
level = -3
"""
# Where liblsl looks by itself (docs of liblsl, "Configuration file").
USUAL_PLACES = (Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg"))


def configure_lsl(within_this_machine: bool = False) -> None:
    """Keep liblsl's own log off the terminal; for the demo, keep its streams on this machine.

    Does nothing when the user has a configuration. Must run before anything loads liblsl.
    """
    if os.environ.get("LSLAPICFG") or any(place.is_file() for place in USUAL_PLACES):
        return
    text = WITHIN_THIS_MACHINE.format(process=os.getpid()) if within_this_machine else QUIET
    path = Path(tempfile.mkdtemp(prefix="afterimage-")) / "lsl_api.cfg"
    path.write_text(text, encoding="utf-8")
    os.environ["LSLAPICFG"] = str(path)
