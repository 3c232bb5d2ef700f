"""HTML pages that need no script, no other file and no network: the one way to Jinja, and the page that all extend."""

from __future__ import annotations

import jinja2

OWN = 'fdx'


def page_environment(*packages: str) -> jinja2.Environment:
    """A Jinja environment whose templates extend `page.html.j2`: its blocks are title, style, content and foot.

    Text of the context is escaped, and a blank without a value is an error.

    Args:
      *packages: names of packages with a folder `templates`; earlier ones win over later ones and over fdx's own.

    Raises:
      ValueError: a package has no such folder.
    """
    folders = [jinja2.PackageLoader(name, 'templates') for name in dict.fromkeys((*packages, OWN))]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
