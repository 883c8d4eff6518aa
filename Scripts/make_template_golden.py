#!/usr/bin/env python3
"""Writes Tests/TritTemplatesTests/Fixtures/jinja.json: what jinja2 (PyPI, 3.1.6) makes of small templates.

By hand: python3 Scripts/make_template_golden.py > Tests/TritTemplatesTests/Fixtures/jinja.json
The settings are those of Hugging Face transformers: immutable sandbox, trim_blocks, lstrip_blocks, loopcontrols,
its own tojson. Each case is [template, text] or [template, null, kind]. The context is the same for all.
"""
import copy
import json
import sys

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONTEXT = {
    "s": "Hello World  it's \"q\"\n line é ß 🙂\u00a0", "t": "  ab  ", "e": "", "i": 7, "neg": -3, "f": 2.5, "yes": True,
    "nothing": None, "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "lm": [1, "a", None, 2.5, [1]],
    "d": {"b": 1, "a": "x", "items": [1], "C": None},
    "ld": [{"a": 1, "b": "x"}, {"a": 2, "b": "Y", "c": {"d": 5}}, {"a": 1}], "le": [], "de": {},
}
FILTERS = """abs|attr("a")|batch(2)+list|batch(2,0)+list|capitalize|center(12)|default("D")|default("D",true)|dictsort
dictsort(reverse=true)|e|first|float|forceescape|format(1,2)|groupby("a")|indent|indent(2,true)|indent(width=1,blank=true)
indent("> ")|int|int(5)|items+list|join|join("-")|join(",",attribute="a")|last|length|list|lower|map("upper")+list
map(attribute="a")+list|map(attribute="c.d",default=9)+list|max|min|max(attribute="a")|reject+list|rejectattr("a","eq",1)+list
replace("l","L")|replace("l","L",1)|replace("","-")|reverse+list|round|round(1)|round(2,"floor")|round(0,"ceil")|round(-1)
safe|select("odd")+list|select("string")+list|selectattr("a","gt",1)+list|selectattr("b","defined")+list|slice(2)+list
slice(2,"f")+list|sort|sort(reverse=true)|sort(attribute="a")|sort(case_sensitive=true)|string|sum|sum(start=10)|title
tojson|tojson(indent=2)|tojson(ensure_ascii=true)|tojson(sort_keys=true)|trim|trim("x ")|truncate(5)|truncate(8,true)
truncate(9,false,"..",0)|unique+list|unique(attribute="a")+list|upper|urlencode|wordcount""".replace("\n", "|").split("|")
TESTS = """boolean|callable|defined|divisibleby(2)|divisibleby 3|eq 1|escaped|even|false|float|ge 1|gt(1)|in [1,2,"a"]|integer
iterable|le 1|lower|lt 2|mapping|ne 1|none|number|odd|sequence|string|true|undefined|upper|sameas none|== 1""".replace("\n", "|").split("|")
METHODS = """strip()|lstrip("H ")|rstrip()|split()|split(" ")|split("l",1)|rsplit("l",1)|rsplit(None,1)|split(None,1)|splitlines()
splitlines(true)|partition(" ")|rpartition("l")|replace("l","LL",1)|upper()|lower()|title()|capitalize()|swapcase()|casefold()
startswith(("x","H"))|endswith("c")|startswith("e",1)|endswith("o",0,5)|removeprefix("He")|removesuffix("b")|find("l")|rfind("l")
find("l",4)|index("l")|count("l")|join(ls)|center(20,"*")|ljust(9)|rjust(9,".")|zfill(8)|format(1,2)|isdigit()|isalpha()|isalnum()
isspace()|isupper()|islower()|istitle()|isascii()|items()|keys()|values()|get("a")|get("zz",1)|a|items|append(1)|pop()|update({})
__class__|nope|nope()|__class__()""".replace("\n", "|").split("|")
ITEMS = ['["a"]', '["items"]', "[0]", "[-1]", "[1:]", "[::-1]", "[:2]", "[1:-1]", "[-3:3]", "[5:1:-2]", '["x":]', "[9]", ".0", "[true]", "[::0]"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">=", "in", "not in", "and", "or"]
PLAIN = [
    "{{ '%5.2f|%-5d|%05d|%+d|%x|%r|%c|%%' % (1.234, 5, -42, 3, 255, 'a', 65) }}", "{{ '%(a)s' % {'a': 1} }}",
    "{{ 0.1 + 0.2 }} {{ 1e22 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ 123456789012345680.0 }} {{ 1e16 }} {{ 0.00001 }}",
    "{{ -7 // 2.0 }} {{ -7 % 2.5 }} {{ 7 % -3 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ -7 // 2 }}", "{{ '\\é' }}{{ '\\101\\q' }}",
    "a\n  {% if yes %}\n    b\n  {% endif %}\n{# c #}\nd\n", "a {%- if yes -%} b {%- endif -%} c", "  {%+ if yes +%}\n x\n{% endif %}",
    "{% raw %}\n {{ x }} {% endraw %}\ny", "{% for k, v in d.items() %}{{ loop.index }}{{ k }}={{ v }};{% endfor %}",
    "{% for x in l recursive %}{{ x if x is number else loop(x) }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ loop.cycle('a', 'b') }}{{ x }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }}{% else %}none{% endfor %}",
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, c=4) }}", "{% macro m() %}{{ caller('x') }}{% endmacro %}{% call(v) m() %}<{{ v }}>{% endcall %}",
    "{% macro m(a) %}x{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}x{% endmacro %}{{ m(b=2) }}", "{{ m is defined }}{% macro m() %}{% endmacro %}",
    "{% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}", "{% set a, b = 1, 2 %}{{ b }}{{ a }}",
    "{% set x %}a{{ i }}{% endset %}{{ x | length }}", "{% with a = i, b = f %}{{ a + b }}{% endwith %}", "{% filter upper %}a{{ s }}{% endfilter %}",
    "{% for x in l %}{% set i = x %}{{ i }}{% endfor %}{{ i }}", "{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
    "{% set j = joiner() %}{{ j() }}a{{ j() }}b", "{{ ('<' | safe) + '<' }}{{ ('<' | safe) ~ '<' }}{{ '<' | e }}", "{{ [1, 2][::-1] }}{{ 'abc'[-2:] }}{{ range(9)[2:7:2] | list }}",
    "{% set it = ld | selectattr('b') %}{{ it | list | length }}{{ it | list | length }}", "{{ (ld | map(attribute='a')) | length }}", "{{ 1 if nothing }}|{{ 'a' if yes else 'b' }}",
    "{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 'a' in s and 'H' in s }}{{ not 1 in l }}", "{{ nope.x }}", "{{ nope() }}", "{{ nope + 1 }}", "{{ nope | tojson }}",
    "{{ 'a' | nofilter }}", "{% if no %}{{ 'a' | nofilter }}{% endif %}x", "{% if no %}{% for x in l %}{{ x is notest }}{% endfor %}{% endif %}", "{% if no %}", "{{ 1 1 }}", "{% for %}{% endfor %}",
    "{{ (neg | map('upper'))[0] }}", "{{ [1, 'a'] | map('abs') | first }}", "{{ [1, 'a'] | map('abs') | list }}", "{{ l != neg | slice(2) }}",
    "{{ (yes | select) is iterable }}", "{{ yes | select | list }}", "{{ [7 | items] | length }}", "{{ 7 | items | list }}", "{{ 0 | map('nofilter') | list }}",
    "{{ l | map('nofilter') is iterable }}", "{{ (i | batch(2)) is iterable }}{{ [[]] | unique is iterable }}", "{{ [[]] | unique | list }}",
    "{{ 0 | select('notest') | list }}", "{% filter list %}a{% endfilter %}", "{% filter length %}a{% endfilter %}", "{% for x in i | select %}{% endfor %}",
    "{{ s.__class__ | list }}{{ s.__class__ | length }}{{ s.__class__ | upper }}", "{% for x in s.__class__ %}{% else %}E{% endfor %}", "{{ nope.__class__ }}",
    "{{ s.__class__ + 'a' }}", "{{ s.__class__.x }}", "{{ 'a' in s.__class__ }}", "{{ s.__class__ in 'a' }}", "{{ i | select | reverse }}", "{{ i | reverse }}",
    "{{ (1,) }}{{ () }}{{ {'a': (1, 'b')} }}{{ {1: 2, true: 3} }}", "{{ dict(a=1, **{'b': 2}) }}{{ dict([['x', 1]]) }}", "{{ {'a': nope, 'b': none} }}", "{{ loop is defined }}",
]


def main():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment.filters["tojson"] = tojson
    names = list(CONTEXT) + ["nope"]
    templates = list(PLAIN)
    for number, part in enumerate(FILTERS):
        for step in range(5):
            templates.append("{{ %s|%s }}" % (names[(number * 7 + step * 3) % len(names)], part.replace("+", "|")))
        templates.append("{{ ld|%s }}" % part.replace("+", "|"))
    for number, part in enumerate(TESTS):
        templates.append("".join("{{ %s is %s }}" % (name, part) for name in names if name not in ("d", "ld")))
        for step in range(3):
            templates.append("{{ %s is not %s }}" % (names[(number + step * 5) % len(names)], part))
    for part in METHODS:
        templates += ["{{ %s.%s }}" % (name, part) for name in ("s", "t", "d", "l")]
    for part in ITEMS:
        templates += ["{{ %s%s }}" % (name, part) for name in ("s", "d", "l", "i", "nope")]
    for number, part in enumerate(OPERATORS):
        for step in range(9):
            a, b = names[(number + step) % len(names)], names[(number * 3 + step * 5) % len(names)]
            templates.append("{{ %s %s %s }}" % (a, part, b))
    cases = []
    for template in dict.fromkeys(templates):
        try:
            text = environment.from_string(template).render(**copy.deepcopy(CONTEXT))
            if " at 0x" not in text:
                cases.append([template, text])
        except Exception as error:
            known = {
                "TemplateSyntaxError": "syntax", "TemplateAssertionError": "syntax", "UndefinedError": "undefined",
                "SecurityError": "sandbox",
            }
            name = type(error).__name__
            cases.append([template, None, known.get(name, name)])
    json.dump({"jinja2": jinja2.__version__, "context": CONTEXT, "cases": cases}, sys.stdout, ensure_ascii=False, indent=0)
    print()


main()
