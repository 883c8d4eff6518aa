import Testing
import TritLab

@Suite struct TemplateErrorTests {
  /// The place and code of the error of a template.
  private func error(
    _ template: String, _ variables: [(key: String, value: JSONValue)] = [],
    limits: TemplateLimits = TemplateLimits()
  ) throws -> LabError {
    try #require(throws: LabError.self) {
      try ChatTemplate(template, name: "chat.jinja").render(variables, limits: limits)
    }
  }

  @Test func anErrorNamesLineAndColumn() throws {
    #expect(try error("a\n  {{ b.c }}").place == "chat.jinja:2:7")
    #expect(try error("é🙂{{ b.c }}").place == "chat.jinja:1:7")
    #expect(try error("a\r\n{% if %}").place == "chat.jinja:2:7")
    #expect(try error("{% if x %}\n{% for y in z %}").place == "chat.jinja:2:4")
    #expect(
      try error("{% macro m() %}\n{{ 1 + 'a' }}{% endmacro %}\n{{ m() }}").place == "chat.jinja:2:6"
    )
    #expect(try error("x\n{{ 'a' | nofilter }}").place == "chat.jinja:2:10")
  }

  @Test func itsOwnMessageIsKept() throws {
    let error = try error("{{ raise_exception('no ' ~ x) }}", [("x", "tools")])
    #expect(error.code.rawValue == "template.raise_exception")
    #expect(error.got == "no tools")
    #expect(error.kind == .badData)
  }

  @Test func limitsAreThoseGiven() throws {
    var limits = TemplateLimits()
    limits.steps = 100
    #expect(
      try error("{% for i in range(99) %}x{% endfor %}", limits: limits).code.rawValue
        == "template.limit")
    limits = TemplateLimits()
    limits.size = 10
    #expect(
      try error("{{ 'abcdef' }}{{ 'abcdef' }}", limits: limits).code.rawValue == "template.limit")
    limits = TemplateLimits()
    limits.nesting = 3
    #expect(try error("x", [("v", [[[[1]]]])], limits: limits).code.rawValue == "template.limit")
  }

  @Test func aNumberBeyond64BitsIsRefused() throws {
    let error = try error(
      "{{ v }}", [("v", .object([("id", .number("123456789012345678901234567890"))]))])
    #expect(error.code.rawValue == "template.unsupported")
    #expect(error.what.contains("v.id"))
  }

  @Test func aMessageThatLooksLikeATemplateIsText() throws {
    let text = try ChatTemplate("{{ messages[0].content }}").render(
      [("messages", [["role": "user", "content": "{{ 7 * 7 }}{% x %}"]])])
    #expect(text == "{{ 7 * 7 }}{% x %}")
  }

  /// ISO 8601 weeks and days of the year, from its examples; the rest by the calendar of 2026.
  @Test func theClockTellsTime() throws {
    let template = try ChatTemplate(
      "{{ strftime_now('%d %b %Y|%-d/%-m|%H:%M:%S|%I %p|%j|%a %A|%G-W%V-%u|%U %W|%y|%e|%F %T|%^b|%%') }}"
    )
    let clock = try #require(TemplateClock("2026-03-01 14:05"))
    #expect(
      try template.render([], clock: clock)
        == "01 Mar 2026|1/3|14:05:00|02 PM|060|Sun Sunday|2026-W09-7|09 08|26| 1|2026-03-01 14:05:00|MAR|%"
    )
    let weeks = try ChatTemplate("{{ strftime_now('%G-W%V-%u') }}")
    for (day, week) in [
      ("2005-01-01", "2004-W53-6"), ("2007-12-31", "2008-W01-1"), ("2008-12-29", "2009-W01-1"),
      ("2010-01-03", "2009-W53-7"),
    ] {
      #expect(try weeks.render([], clock: try #require(TemplateClock(day))) == week)
    }
    for wrong in [
      "2026-02-29", "2026-13-01", "2026-01-05T24:00", "26-01-05", "2026-01-05T09:03:07Z", "",
    ] {
      #expect(TemplateClock(wrong) == nil)
    }
  }
}
