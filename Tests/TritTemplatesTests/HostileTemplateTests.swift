import Foundation
import Testing
import TritLab

/// Templates that want to crash, hang or fill the memory: each ends with an error that says so.
@Suite struct HostileTemplateTests {
  private static func many(_ text: String, _ count: Int = 50_000) -> String {
    String(repeating: text, count: count)
  }

  private static let namespaceOf = "{% set n = namespace(x=[1]) %}{% for i in range(100000) %}"

  /// What it is, the template, and the kind of its error.
  private static let cases: [(String, String, String)] = [
    ("parentheses", "{{ " + many("(") + "1" + many(")") + " }}", "limit"),
    ("lists", "{{ " + many("["), "limit"),
    ("signs", "{{ " + many("-") + "1 }}", "limit"),
    ("targets", "{% set " + many("(") + "a", "limit"),
    ("choices", "{{ 1 " + many("if 1 else 2 ") + "}}", "limit"),
    ("choices without else", "{{ 1 " + many("if 1 ") + "}}", "limit"),
    ("branches", many("{% if 1 %}"), "limit"),
    ("tests", "{{ " + many("x is in (") + " }}", "syntax"),
    (
      "loops", "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
      "limit"
    ),
    ("a long text", "{{ 'x' * 1000000000 }}", "limit"),
    ("a long list", "{{ [1] * 1000000000000 }}", "limit"),
    ("a text that doubles", namespaceOf + "{% set n.x = n.x ~ n.x %}{% endfor %}", "limit"),
    ("values inside each other", namespaceOf + "{% set n.x = [n.x] %}{% endfor %}", "limit"),
    (
      "shared values",
      "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
      "limit"
    ),
    (
      "shared values as JSON",
      "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}",
      "limit"
    ),
    (
      "shared values compared",
      "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
      "limit"
    ),
    ("a macro without end", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "limit"),
    ("a loop without end", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "limit"),
    ("a width", "{{ '%1000000000d' % 1 }}", "limit"),
    ("a margin", "{{ 'a' | indent(1000000000000) }}", "limit"),
    ("a centre", "{{ 'a'.center(10 ** 15) }}", "limit"),
    ("replacements", "{{ 'aaaa'.replace('', 'x' * 100000).replace('', 'y' * 100000) }}", "limit"),
    ("rows", "{{ [1, 2] | batch(1000000000, 0) | list }}", "limit"),
    ("a date", "{{ strftime_now('%1000d' * 20000) }}", "limit"),
    ("a range", "{{ range(-9223372036854775807, 9223372036854775807) }}", "OverflowError"),
    ("a power", "{{ 10 ** (10 ** 10) }}", "unsupported"),
    ("the least number", "{{ (-9223372036854775807 - 1) // -1 }}", "unsupported"),
    ("half a character", "{{ '\\ud800' }}", "unsupported"),
    ("a file", "{% include '/etc/passwd' %}", "unsupported"),
    ("Python", "{{ ''.__class__.__mro__ }}", "sandbox"),
    ("an append", "{{ [].append(1) }}", "sandbox"),
  ]

  /// On a stack of half a megabyte, which is what a thread of macOS has.
  @Test(arguments: cases.indices) func anHostileTemplateIsRefused(_ index: Int) throws {
    let (what, template, kind) = Self.cases[index]
    let code = try onSmallStack {
      do {
        return "no error: \(try ChatTemplate(template).render([]).prefix(40))"
      } catch let error as LabError {
        return error.code.rawValue
      }
    }
    #expect(code == "template." + kind, "\(what)")
  }

  /// Long, but not deep: these are fine.
  @Test(arguments: [
    "{{ 1" + many(" + 1") + " }}", "{{ 'a'" + many(" ~ 'b'") + " }}",
    "{{ x" + many(" | trim") + " }}",
    "{{ " + many("not ") + "1 }}", "{{ {}" + many(".a is defined or {}", 1000) + " }}",
    "{% set n = namespace() %}{% set n.n = n %}{{ n.n.n.n is defined }}",
    "{% macro m(t, n) %}{% set t.a = n %}{% endmacro %}{% set h = namespace(t=namespace()) %}{% for i in range(20000) %}"
      + "{% set x = namespace() %}{{ m(h.t, x) }}{% set h.t = x %}{% endfor %}",
  ]) func aLongTemplateIsNoProblem(_ template: String) throws {
    _ = try onSmallStack { try ChatTemplate(template).render([]) }
  }

  /// Bytes that are changed at random never do more than fail.
  @Test func changedTemplatesFailPolitely() throws {
    var random = SeededRandom(seed: 7)
    let seed =
      "{% macro m(a, b=1) -%}{{ a|tojson }}{%- endmacro %}{% for x in l if x %}{{ loop.index0 ~ m(x)[1:] }}"
      + "{% set y = {'a': [1, (2,)]} %}{% else %}{# c #}{{ y.a | join('-') is string }}{% endfor %}"
    let pieces = [
      "{{", "}}", "{%", "%}", "(", ")", "[", "]", "|", "'", "\\", "if ", "for ", ":", "-", "x", "é",
    ]
    var rendered = 0
    for _ in 0..<3000 {
      var text = Array(seed)
      for _ in 0..<(1 + Int(random.next() % 3)) {
        let place = Int(random.next() % UInt64(text.count))
        if random.next() % 2 == 0 {
          text.remove(at: place)
        } else {
          text.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: place)
        }
      }
      do {
        _ = try ChatTemplate(String(text)).render([("l", [1, "a", [2]])])
        rendered += 1
      } catch let error as LabError {
        #expect(error.code.rawValue.hasPrefix("template."))
      }
    }
    #expect(rendered > 100)
  }

  private func onSmallStack<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let box = ResultBox<T>()
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      box.result = Result { try body() }
      done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    return try #require(box.result).get()
  }

  /// Hands a result from one thread to another, which waits for it.
  private final class ResultBox<T>: @unchecked Sendable {
    var result: Result<T, any Error>?
  }
}
