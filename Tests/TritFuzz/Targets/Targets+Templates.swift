import TritLab

extension FuzzTarget {
  /// Chat templates, which come with models.
  static let templates = [
    FuzzTarget(
      name: "chat-template", summary: "chat templates, rendered over a conversation with tools",
      grammar: .text(words: templateWords), minimumAccepted: 0.05, sources: ["TritTemplates"],
      seeds: { templateSeeds.map { Array($0.utf8) } }
    ) { _ in template }
  ]

  private static let templateWords = [
    "{{", "}}", "{%", "%}", "{%-", "-%}", "{#", "#}", "if", "elif", "else", "endif", "for", "in",
    "endfor", "recursive", "set", "endset", "macro", "endmacro", "call", "endcall", "with",
    "endwith", "filter", "endfilter", "raw", "endraw", "break", "continue", "generation",
    "endgeneration", "is", "not", "and", "or", "none", "true", "loop", "loop.index0", "namespace()",
    "range(9)", "[::-1]", "[1:]", "**", "//", "~", "|", "|tojson", "|sort", "|batch(2)", "|list",
    "|groupby('role')", "|indent(9)", ".split()", ".replace('a', '')", ".items()", "messages",
    "tools", "m", "'%s'", "'\\u00e9'", "0x1F", "1e3", "(1,)", "{'a': 1}", "defined",
  ]

  private static let templateSeeds = [
    "{% for m in messages %}\n<|{{ m['role'] }}|>\n{{ m.content | trim }}{{ eos_token }}\n{% endfor %}\n"
      + "{% if add_generation_prompt %}\n<|assistant|>\n{% endif %}",
    "{%- macro shown(value, indent=0) -%}\n{%- if value is mapping -%}\n"
      + "{% for k, v in value.items() %}\n{{ ' ' * indent ~ k }}: {{ shown(v, indent + 2) }}\n{% endfor %}\n"
      + "{%- else -%}\n{{ value | tojson(indent=2) }}\n{%- endif -%}\n{%- endmacro -%}\n{{ shown(tools[0]) }}",
    "{% set ns = namespace(n=0, last='') %}\n{% for m in messages[::-1] if m.role != 'system' %}\n"
      + "{% set ns.n = ns.n + loop.index0 %}\n{% set ns.last = (m.content or '').split('</x>')[-1].lstrip('\\n') %}\n"
      + "{% if loop.last and not loop.first %}{% break %}{% endif %}\n{% endfor %}\n{{ ns.n }}{{ ns.last[1:-1] }}",
    "{{ messages | map(attribute='role') | unique | join(', ') | upper }}\n{# note #}\n"
      + "{{ '%5.2f|%s' % (1.5, messages | length) }}\n{{ strftime_now('%d %b %Y') }}\n{% raw %}{{ x }}{% endraw %}\n"
      + "{{ (tools | selectattr('a', 'defined') | list | first).a.b is undefined }}",
    "{% macro shown(v) %}{{ caller(v) }}{% endmacro %}{% call(x) shown(1) %}{{ x }}{% endcall %}",
  ]

  private static let conversation: [(key: String, value: JSONValue)] = [
    (
      "messages",
      [
        ["role": "system", "content": "Be brief"], ["role": "user", "content": "a</x>\n\nb é🙂"],
        [
          "role": "assistant", "content": nil,
          "tool_calls": [["name": "f", "arguments": ["x": 1.5]]],
        ],
      ]
    ), ("tools", [["name": "f", "a": ["b": [1, true, nil, "c"]]]]), ("add_generation_prompt", true),
    ("eos_token", "</s>"),
  ]

  /// Limits that end a loop within milliseconds.
  private static let limits = {
    var limits = TemplateLimits()
    limits.steps = 200_000
    limits.size = 1 << 20
    return limits
  }()

  static func template(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LabError(.badData, "not UTF-8")
    }
    let template = try ChatTemplate(text)
    let clock = TemplateClock("2026-01-05T09:03:07") ?? .now
    let prompt = try template.render(conversation, clock: clock, limits: limits)
    let again = try template.render(conversation, clock: clock, limits: limits)
    try demand(prompt == again, "a template gives the same prompt again")
  }
}
