"""What a page that stands alone must be: well-formed, without script, other files or network, and for a phone."""

from __future__ import annotations

import html.parser

# One white pixel: what a picture is where it is not looked at.
PIXEL = (
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsVFYxwAAAABJRU5ErkJggg=='
)
VOID = {'meta', 'img', 'br', 'link', 'input', 'hr'}
# A page is to stay below this.
MOST_BYTES = 2_000_000


class Page(html.parser.HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f'not closed: {self.open}'

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f'</{tag}> closes {self.open[-1:]}'
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != 'style':
            self.words.append(data)

    @property
    def text(self) -> str:
        """The words, with single blanks."""
        return ' '.join(' '.join(self.words).split())

    def attributes(self, tag: str, name: str) -> list[str]:
        """The values of an attribute of all elements of a kind."""
        return [attrs[name] or '' for found, attrs in self.tags if found == tag and name in attrs]


def check_standalone(text: str) -> Page:
    """The page, once it is known to stand alone."""
    assert len(text.encode()) < MOST_BYTES
    page = Page(text)
    kinds = {tag for tag, _ in page.tags}
    assert not kinds & {'script', 'link', 'iframe', 'object', 'embed'}
    assert all(uri.startswith('data:image/png;base64,') for uri in page.attributes('img', 'src'))
    assert len(page.attributes('img', 'alt')) == len(page.attributes('img', 'src'))
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith('on')]
    assert not page.attributes('a', 'href') and 'url(' not in text and '@import' not in text
    assert any('width=device-width' in content for content in page.attributes('meta', 'content'))
    assert '@media print' in text and '@media (max-width' in text
    return page
