"""What comes with an address or a form, from anyone's hand, made harmless for a query."""

LARGEST = 2**63 - 1


def whole(written: str | None) -> int | None:
    """A whole number that PostgreSQL takes for an id; None for anything else."""
    if written and written.isascii() and written.isdigit() and len(written) < 20:
        return min(int(written), LARGEST)
    return None


def line(written: str | None, most: int) -> str:
    """One line of text, of at most so many characters, with nothing that can't be printed."""
    return "".join(sign for sign in (written or "") if sign.isprintable()).strip()[:most]
