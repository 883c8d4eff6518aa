#!/usr/bin/env python3
"""Compares our HTML of Markdown with that of two other tools: markdown-it-py 4 and commonmark 0.9.

  TRITLAB_MARKDOWN=FOLDER swift test -c release --disable-testable-imports --filter GeneratedMarkdown
  check_markdown.py FOLDER

The test writes generated texts and what we make of them, `x.md` and `x.md.html`, and holds a digest of
all of them, recorded when this comparison was right. A text counts as different where neither tool gives
what we give: they differ from each other at definitions of links before lists, and at tables, which the
second does not know. What differs by design is taken out before: anchors of headings, blanks between
blocks, images (their description where no page holds them).
"""
import pathlib
import re
import sys

def shape(html):
    html = re.sub(r'(<h[1-6]) id="[^"]*"', r"\1", html)
    html = re.sub(r"\s*(</?(?:p|ul|ol|li|blockquote|h\d|hr|pre|table|thead|tbody|tr|th|td)\b[^>]*>)\s*",
                  r"\1", html)
    # Images are their description where no page holds them.
    html = re.sub(r'<img src="[^"]*" alt="([^"]*)"(?: title="[^"]*")? />', r"<em>\1</em>", html)
    return html.strip()


def main():
    from commonmark import commonmark
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    wrong, total, second, undecided = 0, 0, 0, 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.md")):
        text = path.read_bytes().decode()
        ours = shape(pathlib.Path(f"{path}.html").read_text(encoding="utf-8"))
        total += 1
        theirs = shape(reader.render(text))
        if ours == theirs:
            continue
        if ours == shape(commonmark(text)):
            second += 1
            continue
        if "|---" in text and "]: " in text:
            undecided += 1
            continue
        wrong += 1
        if wrong <= 10:
            print(f"--- {path.name}\n{text!r}\nours   {ours!r}\ntheirs {theirs!r}")
    print(f"{total - wrong - undecided} of {total} the same, {second} of them as commonmark has it; "
          f"{undecided} with a table and a definition, for which neither speaks; {wrong} different")
    return 1 if wrong or not total else 0


if __name__ == "__main__":
    sys.exit(main())
