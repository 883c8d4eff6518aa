import Foundation
import Testing
import TritLab
import _TritTestSupport

/// What jinja2 3.1.6 makes of templates, with the settings of Hugging Face transformers.
@Suite struct GoldenTemplateTests {
  static let clock = TemplateClock("2026-01-05T09:03:07")

  /// The text, or the kind of the error and the template's own message.
  static func result(
    _ template: String, _ variables: [(key: String, value: JSONValue)]
  ) throws -> (text: String?, kind: String?, message: String?) {
    do {
      let clock = try #require(Self.clock)
      return (try ChatTemplate(template, name: "t").render(variables, clock: clock), nil, nil)
    } catch let error as LabError {
      // An error says where in the template it is.
      #expect(error.place?.wholeMatch(of: /t:\d+:\d+/) != nil)
      let code = error.code.rawValue
      #expect(code.hasPrefix("template."))
      return (nil, String(code.dropFirst("template.".count)), error.got)
    }
  }

  /// A thousand small templates: filters, tests, methods, operators and statements, from
  /// `Scripts/make_template_golden.py`.
  @Test func smallTemplatesGiveWhatJinjaGives() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = try JSONReader.readFile(folder.path + "/Fixtures/jinja.json")
    let context = try #require(file["context"]?.object)
    let cases = try #require(file["cases"]?.array)
    #expect(cases.count > 1000)
    for one in cases {
      let parts = try #require(one.array)
      let template = try #require(parts[0].string)
      let result = try Self.result(template, context)
      // Text is compared by its bytes: `String` takes other spellings of a letter for equal.
      #expect(
        result.text.map { Array($0.utf8) } == parts[1].string.map { Array($0.utf8) }, "\(template)")
      if parts.count > 2 { #expect(result.kind == parts[2].string, "\(template)") }
    }
  }

  private static func read(_ name: String) throws -> JSONValue {
    let path = try #require(SharedData.path("chat-templates/" + name))
    return try JSONReader.readFile(path, limit: .text)
  }

  /// The rules one at a time.
  @Test(.enabled(if: SharedData.path("chat-templates/micro.json") != nil))
  func rulesHoldOneAtATime() throws {
    for one in try #require(try Self.read("micro.json").array) {
      let template = try #require(one["template"]?.string)
      let result = try Self.result(template, one["context"]?.object ?? [])
      let expected = one["expected"]
      #expect(result.text == expected?.string, "\(template)")
      if let kind = expected?["kind"]?.string { #expect(result.kind == kind, "\(template)") }
    }
  }

  /// 21 public templates over 18 conversations, with and without a generation prompt.
  @Test(.enabled(if: SharedData.path("chat-templates/expected.json") != nil))
  func publicTemplatesGiveWhatTransformersGives() throws {
    let settings = try Self.read("settings.json")["templates"]
    let conversations = try #require(try Self.read("conversations.json").array)
    var compared = 0
    for (name, byConversation) in try #require(try Self.read("expected.json").object) {
      guard let setting = settings?[name] else { continue }
      let path = try #require(SharedData.path("chat-templates/templates/\(name).jinja"))
      let source = try String(contentsOfFile: path, encoding: .utf8)
      for conversation in conversations {
        let id = try #require(conversation["id"]?.string)
        for isAsking in [false, true] {
          guard let expected = byConversation[id]?["\(isAsking)"] else { continue }
          var variables: [(key: String, value: JSONValue)] = [
            ("messages", conversation["messages"] ?? .null),
            ("tools", conversation["tools"] ?? .null),
            ("documents", .null), ("add_generation_prompt", .bool(isAsking)),
          ]
          for key in ["bos_token", "eos_token"] {
            if let token = setting[key], token != .null { variables.append((key, token)) }
          }
          variables += conversation["kwargs"]?.object ?? []
          let result = try Self.result(source, variables)
          let place = "\(name), \(id), \(isAsking)"
          #expect(
            result.text.map { Array($0.utf8) } == expected.string.map { Array($0.utf8) }, "\(place)"
          )
          if let kind = expected["kind"]?.string {
            #expect(result.kind == kind, "\(place)")
            if kind == "raise_exception" {
              #expect(result.message == expected["error"]?.string, "\(place)")
            }
          }
          compared += 1
        }
      }
    }
    #expect(compared > 700)
  }
}
