import Foundation
import Testing
import TritExperiments
import TritLab
import _TritTestSupport

/// Keys of experiment files about how a model is talked to, and how its codes lie.
@Suite struct ChatAndLayoutTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("chat-and-layout") }

  private func outcome(_ text: String) throws -> RunOutcome {
    try folder.write(text, to: "x.yaml")
    return try ExperimentRunner.run(
      file: folder.file("x.yaml"),
      options: RunOptions(outputDirectory: folder.file("runs"), threads: 1), observer: { _ in })
  }

  /// The built-in small model as I2_S, and with its codes in blocks of 64.
  private func relaid() throws -> (healthy: String, arm: String) {
    let checkpoint = try Checkpoint(path: ModelLocation.resolve("builtin:tiny"))
    let (healthy, arm) = (folder.file("healthy.gguf"), folder.file("arm.gguf"))
    try GGUFExport(checkpoint, linear: .i2_s).write(to: healthy)
    try RelaidCodes.write(healthy, as: .arm64, to: arm)
    return (healthy, arm)
  }

  @Test func aModelIsReadInTheOrderThatTheFileSays() throws {
    let (healthy, arm) = try relaid()
    let measure = "measure: {generate: {prompts: [Once upon a time], tokens: 12}}"
    let right = try outcome("name: a\nmodel: \(healthy)\nreference: none\n\(measure)\n")
    let text = try #require(right.records.first?.texts.first?.text)
    // Of a variant, of all of them, and of the reference too.
    let several = try outcome(
      """
      name: b
      model: \(arm)
      reference: none
      sweep: {i2s-layout: [blocks128, arm64]}
      \(measure)
      """)
    #expect(several.exitCode == 0)
    #expect(several.records.map(\.label) == ["blocks128", "arm64"])
    #expect(several.records.map { $0.texts[0].text == text } == [false, true])
    #expect(several.records.map { $0.params["i2s-layout"] } == ["blocks128", "arm64"])
    #expect(several.records[0].inputs != several.records[1].inputs)
    let all = try outcome("name: c\nmodel: \(arm)\ni2s-layout: arm64\n\(measure)\n")
    #expect(all.records.count == 2 && all.records[1].texts[0].text == text)
    let reference = try outcome("name: d\nmodel: \(healthy)\n\(measure)\n")
    #expect(all.records[0].texts[0].text == reference.records[0].texts[0].text)
  }

  @Test func wrongLayoutsAreToldWithTheirPlace() throws {
    for (text, place) in [
      ("i2s-layout: arm", ":2:13"), ("base: {i2s-layout: [arm64]}", ":2:20"),
      ("variants: [{name: x, i2s-layout: rows}]", ":2:34"),
    ] {
      let error = #expect(throws: LabErrors.self) {
        try outcome("name: a\n\(text)\nmodel: builtin:tiny\nmeasure: {weights: {}}\n")
      }
      let all = try #require(error).description
      #expect(all.contains(place) && all.contains("i2s-layout"), "\(all)")
    }
    let schema = ExperimentSchema.json()
    #expect(schema.contains("\"i2s-layout\"") && schema.contains("\"rows4\""))
  }

  /// A text ends where a text of `until` appears, which is no part of it.
  @Test func textsEndWhereTheyAreToldTo() throws {
    let model = "name: a\nmodel: builtin:tiny\nreference: none\n"
    let long = try outcome(
      model + "measure: {generate: {prompts: [Once upon a time], tokens: 24}}\n")
    let text = try #require(long.records.first?.texts.first?.text)
    let words = text.split(separator: " ")
    let stop = String(try #require(words.dropFirst(3).first { $0.count > 3 }))
    let short = try outcome(
      model
        + "measure: {generate: {prompts: [Once upon a time], tokens: 24, until: [\"\(stop)\"]}}\n")
    let got = try #require(short.records.first?.texts.first)
    let place = try #require(text.range(of: stop))
    #expect(got.text == String(text[..<place.lowerBound]) && got.finish == "stop")
    #expect(short.records[0].inputs != long.records[0].inputs)
  }

  /// Prompts become messages of a user in the model's template; a model without one is told before
  /// anything runs, and a system message needs a chat.
  @Test func promptsAreMessagesOfAChat() throws {
    let source = try ModelLocation.resolve("builtin:tiny")
    try FileManager.default.copyItem(atPath: source, toPath: folder.file("chat"))
    try folder.write(
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
      to: "chat/chat_template.jinja")
    func file(_ model: String, _ generate: String) -> String {
      "name: a\nmodel: \(model)\nreference: none\nmeasure: {generate: {prompts: [Hi], tokens: 8, \(generate)}}\n"
    }
    let chat = try outcome(file(folder.file("chat"), "chat: true, system: Be kind"))
    #expect(chat.exitCode == 0, "\(chat.records.map(\.error))")
    let engine = try Engine(
      checkpoint: Checkpoint(path: folder.file("chat")), options: EngineOptions(threads: 1))
    var options = GenerationOptions(sampling: .greedy, maxTokens: 8)
    options.sampling.seed = 1
    let wanted = try engine.generate(chat: "system: Be kind\nuser: Hi\n", options: options)
    let got = try #require(chat.records.first?.texts.first)
    #expect(got.text == wanted.text && got.promptTokens == wanted.result.prompt.count)
    let none = #expect(throws: (any Error).self) { try outcome(file("builtin:tiny", "chat: true")) }
    #expect("\(String(describing: none))".contains("no chat template"))
    let alone = #expect(throws: LabErrors.self) {
      try outcome(file("builtin:tiny", "system: Be kind"))
    }
    #expect(alone?.description.contains("measure.generate.system: has no effect") == true)
  }
}
