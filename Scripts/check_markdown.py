#!/usr/bin/env python3
"""Compares our HTML of Markdown with markdown-it-py's (CommonMark and tables, no raw HTML).

  check_markdown.py write FOLDER [N]   writes N generated texts, one file each
  check_markdown.py compare FOLDER     compares FOLDER/x.md.html with what markdown-it-py makes of x.md

The first needs Python alone, the second PyPI's markdown-it-py 4. Between them our renderer writes
`x.md.html` for each (MarkdownComparisonTests with TRITLAB_MARKDOWN=FOLDER). What differs by design is
taken out before: anchors of headings, blanks between blocks.
"""
import pathlib
import random
import re
import sys

PIECES = [
    "*", "**", "_", "__", "***", "`", "``", "[", "]", "(", ")", "](/u)", "[a](b)", "![i](j.png)",
    "[a](<b c> \"t\")", "[r]", "[r][]", "[x][r]", "[R]: /url 'title'\n", "<", ">", "<http://a.b/c>",
    "<a@b.cc>", "&amp;", "&lt;", "&#65;", "&#x42;", "&nosuch;", "\\", "\\*", "\\\n", "  \n", "\n",
    "\n\n", "\n\n\n", "# ", "## ", " #", "---\n", "\n===\n", "\n---\n", "- ", "* ", "+ ", "1. ",
    "2) ", "\n- ", "\n  - ", "\n1. ", "\n   ", "\n    ", "\t", "> ", "\n> ", "\n>> ", "```\n", "\n```\n",
    "~~~ c\n", "\n~~~\n", "\n| a | b |\n|---|:-:|\n| 1 | 2 |\n", "|", "a", "b c", "word", "é", "“q”",
    "1", " ", "  ", "    ", "\"", "'", "(x)", "!", "foo*bar", "snake_case_name", "€", "<b>", "<!x",
]


def texts(count):
    draw = random.Random(1958)
    for _ in range(count):
        yield "".join(draw.choice(PIECES) for _ in range(draw.randint(2, 24))) + "\n"


def shape(html):
    html = re.sub(r'(<h[1-6]) id="[^"]*"', r"\1", html)
    html = re.sub(r"\s*(</?(?:p|ul|ol|li|blockquote|h\d|hr|pre|table|thead|tbody|tr|th|td)\b[^>]*>)\s*",
                  r"\1", html)
    return html.strip()


def main():
    command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if command == "write":
        count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
        for index, text in enumerate(texts(count)):
            (folder / f"{index:05}.md").write_text(text, encoding="utf-8", newline="")
        return 0
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    wrong, total = 0, 0
    for path in sorted(folder.glob("*.md")):
        text = path.read_bytes().decode()
        ours = pathlib.Path(f"{path}.html").read_text(encoding="utf-8")
        total += 1
        if shape(ours) != shape(reader.render(text)):
            wrong += 1
            if wrong <= 10:
                print(f"--- {path.name}\n{text!r}\nours   {shape(ours)!r}\ntheirs {shape(reader.render(text))!r}")
    print(f"{total - wrong} of {total} the same")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
