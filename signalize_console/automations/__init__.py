"""Rules: "when this happens, and if that holds, wait, and send this, unless …"."""
