import Foundation
import Testing
import TritLab
import TritModel
import _TritTestSupport

/// Chat templates of models, stop texts, and conversations turn by turn.
@Suite struct ChatTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("chat") }

  private static let conversation = ChatConversation(system: "S", user: " U ")

  private func write(_ text: String, _ name: String) throws -> String {
    try folder.write(text, to: name)
    return folder.file(name)
  }

  /// A folder with the named files.
  private func model(_ name: String, _ files: [String: String]) throws -> String {
    let path = folder.file(name)
    for (file, text) in files {
      let url = URL(fileURLWithPath: path + "/" + file)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return path
  }

  // MARK: Where templates come from

  @Test func aTemplateIsFoundWhereHuggingFaceKeepsIt() throws {
    let settings =
      #"{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": "{{ bos_token }}config{{ eos_token }}"}"#
    let inSettings = try model("a", ["tokenizer_config.json": settings])
    #expect(try ChatFormat(path: inSettings).prompt(Self.conversation) == "<s>config</s>")
    let inFile = try model(
      "b", ["tokenizer_config.json": settings, "chat_template.jinja": "{{ bos_token }}file"])
    #expect(try ChatFormat(path: inFile).prompt(Self.conversation) == "<s>file")
    #expect(
      try ChatFormat(path: inSettings + "/tokenizer_config.json").prompt(Self.conversation)
        == "<s>config</s>")
    #expect(
      try ChatFormat(path: inFile + "/chat_template.jinja").prompt(Self.conversation) == "file")
    let bare = try model("c", ["tokenizer_config.json": "{}"])
    let error = try #require(throws: LabError.self) { try ChatFormat(path: bare) }
    #expect(error.kind == .missingInput && error.advice?.contains("--template") == true)
  }

  @Test func oneOfSeveralTemplatesIsTaken() throws {
    let several = try model(
      "d",
      [
        "tokenizer_config.json":
          #"{"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]}"#
      ])
    let format = try ChatFormat(path: several)
    var withTools = Self.conversation
    withTools.tools = [["type": "function"]]
    #expect(try format.prompt(Self.conversation) == "D")
    #expect(try format.prompt(withTools) == "T")
    #expect(try format.prompt(withTools, named: "default") == "D")
    let error = try #require(throws: LabError.self) { try format.prompt(withTools, named: "tool") }
    #expect(error.kind == .usage && error.expected == "default, tool_use")
    let files = try model(
      "e", ["chat_template.jinja": "D2", "additional_chat_templates/rag.jinja": "R"])
    #expect(try ChatFormat(path: files).prompt(Self.conversation, named: "rag") == "R")
  }

  private func gguf(_ name: String, _ keys: [(String, GGUFValue)]) throws -> String {
    var writer = GGUFWriter()
    writer.set("general.architecture", .string("llama"))
    for (key, value) in keys { writer.set(key, value) }
    try writer.write(to: folder.file(name))
    return folder.file(name)
  }

  @Test func aTemplateIsFoundInAGGUFFile() throws {
    let path = try gguf(
      "a.gguf",
      [
        (
          "tokenizer.chat_template",
          .string("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}")
        ),
        ("tokenizer.chat_template.tool_use", .string("T")),
        ("tokenizer.ggml.tokens", .array(.string(["<s>", "</s>", "x"]))),
        ("tokenizer.ggml.bos_token_id", .uint32(0)), ("tokenizer.ggml.eos_token_id", .uint32(1)),
      ])
    let format = try ChatFormat(path: path)
    #expect(try format.prompt(Self.conversation) == "<s>S</s>")
    #expect(try format.prompt(Self.conversation, named: "tool_use") == "T")
  }

  /// The converter of bitnet.cpp writes a template that 2B-4T was not trained with.
  @Test func theWrongTemplateOf2B4TIsReplaced() throws {
    let path = try gguf(
      "b.gguf",
      [
        (
          "tokenizer.chat_template",
          .string("{% for m in messages %}Human: {{ m.content }}\n\nBITNETAssistant: {% endfor %}")
        )
      ])
    let format = try ChatFormat(path: path)
    #expect(format.notes.count == 1)
    // Role with a capital, text without white space around it, end of turn; no newline anywhere.
    #expect(
      try format.prompt(Self.conversation) == "System: S<|eot_id|>User: U<|eot_id|>Assistant: ")
    #expect(
      try format.prompt(Self.conversation, asksForAnswer: false)
        == "System: S<|eot_id|>User: U<|eot_id|>")
    // A template that is given is never replaced.
    let given = try ChatFormat(template: "BITNETAssistant", place: "x.jinja")
    #expect(try given.prompt(Self.conversation) == "BITNETAssistant")
  }

  /// The replacement renders what the model's own template renders.
  @Test(.enabled(if: SharedData.path("chat-templates/expected.json") != nil))
  func theReplacementIsTheModelsOwn() throws {
    let path = try gguf("c.gguf", [("tokenizer.chat_template", .string("BITNETAssistant"))])
    let format = try ChatFormat(path: path)
    let expected = try JSONReader.readFile(
      try #require(SharedData.path("chat-templates/expected.json")), limit: .text)
    let conversations = try JSONReader.readFile(
      try #require(SharedData.path("chat-templates/conversations.json")), limit: .text)
    var compared = 0
    for conversation in try #require(conversations.array) {
      let id = try #require(conversation["id"]?.string)
      for isAsking in [false, true] {
        let wanted = expected["bitnet-b1.58-2b-4t"]?[id]?["\(isAsking)"]?.string
        var asked = ChatConversation(conversation["messages"]?.array ?? [])
        asked.tools = conversation["tools"] ?? .null
        let got = try? format.prompt(asked, asksForAnswer: isAsking)
        #expect(got == wanted, "\(id)")
        compared += wanted == nil ? 0 : 1
      }
    }
    #expect(compared > 10)
  }

  @Test func conversationsAreRead() throws {
    let list = try ChatConversation(
      json: try JSONReader.read(#"[{"role": "user", "content": null}]"#), path: "m.json")
    #expect(list.messages == [["role": "user", "content": nil]])
    let object = try ChatConversation(
      json: try JSONReader.read(
        #"{"messages": [], "tools": [1], "chat_template_kwargs": {"a": 1}, "b": 2}"#),
      path: "m.json")
    #expect(object.tools == [1] && object.variables.map(\.key) == ["a", "b"])
    for wrong in ["3", "{}", #"[{"content": "x"}]"#, #"["x"]"#, #"{"messages": 1}"#] {
      let error = #expect(throws: LabError.self) {
        try ChatConversation(json: try JSONReader.read(wrong), path: "m.json")
      }
      #expect(error?.kind == .badData && error?.place?.hasPrefix("m.json") == true)
    }
  }

  // MARK: Stop texts

  /// However a text is cut into pieces, what comes out is what stands before the first stop text.
  @Test func aStopTextEndsAText() {
    let stops = ["User:", "\n\n", "é!", "aab"]
    let texts = [
      "Hello User: x", "one\n\ntwo", "caf\u{E9}!", "é? é!", "aaab", "Use User", "", "aaaaab\n",
    ]
    var random = SeededRandom(seed: 2)
    for text in texts {
      let bytes = Array(text.utf8)
      let place = (0...bytes.count).first { start in
        stops.contains { bytes[start...].starts(with: $0.utf8) }
      }
      let expected = String(decoding: bytes[..<(place ?? bytes.count)], as: UTF8.self)
      for _ in 0..<20 {
        var watch = StopTexts(stops)
        var out = ""
        var piece = ""
        for character in text {
          piece.append(character)
          if random.next() % 2 == 0 {
            out += watch.append(piece)
            piece = ""
          }
        }
        out += watch.append(piece) + watch.finish()
        #expect(out == expected && watch.isOver == (place != nil), "\(text)")
      }
    }
    var none = StopTexts([""])
    #expect(none.append("abc") == "abc" && !none.isOver)
  }

  @Test func sequenceBreakersAreTheTokensThatHoldThem() throws {
    let path = try TinyCheckpoint.write(.bitnetPacked, in: folder)
    let tokenizer = try TokenizerLoader.load(path: path)
    func token(_ text: String) throws -> Int32 {
      let ids = try tokenizer.encode(text, addSpecial: false, parseSpecial: false)
      #expect(ids.count == 1)
      return Int32(ids[0])
    }
    // Of the merges only 'once' and 'on' hold or begin 'on'; 'nd' and 'and' end with its… 'o' does.
    let found = try SequenceBreakers.sequences(["on"], tokenizer)
    let (on, once, o, n, the) = (
      try token("on"), try token("once"), try token("o"), try token("n"), try token("the")
    )
    #expect(found.contains([on]))
    #expect(found.contains([once]))
    #expect(found.contains([o, n]))
    #expect(!found.contains { $0.first == the })
    #expect(try SequenceBreakers.sequences([], tokenizer).isEmpty)
  }

  // MARK: Generation

  private func engine() throws -> Engine {
    try Engine(
      checkpoint: try Checkpoint(path: try TinyCheckpoint.write(.bitnetPacked, in: folder)))
  }

  private var greedy: GenerationOptions {
    GenerationOptions(sampling: .greedy, maxTokens: 12, ignoresEnd: true)
  }

  @Test func aStopTextEndsAGeneration() throws {
    let engine = try engine()
    let (whole, _) = try engine.generate(text: "once", options: greedy)
    let characters = Array(whole)
    try #require(characters.count > 4)
    var options = greedy
    options.stops = [String(characters[2...3])]
    var shown = ""
    let (text, result) = try engine.generate(text: "once", options: options) { shown += $0 }
    let before = whole.range(of: options.stops[0]).map { String(whole[..<$0.lowerBound]) }
    #expect(text == before && shown == text)
    #expect(result.finish == .stopText && result.finish.rawValue == "stop")
  }

  @Test func aPromptHasOneBOSAtMost() throws {
    let engine = try engine()
    let tokenizer = engine.tokenizer
    let plain = try ChatFormat.tokens("a", tokenizer)
    let written = try ChatFormat.tokens("<|begin|>a", tokenizer)
    #expect(plain.first == TinyTokenizer.begin)
    #expect(written == plain)
    var options = greedy
    options.addsSpecial = false
    let (_, result) = try engine.generate(text: "a", options: options)
    #expect(result.prompt == [TinyTokenizer.firstByte + 97])
  }

  private static let template =
    "{% for m in messages %}<|begin|>{{ m.role[0] }}{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|begin|>a{% endif %}"

  /// What a session answers turn by turn is what fresh prompts give, though it runs less.
  @Test func aConversationKeepsItsCache() throws {
    let engine = try engine()
    let format = try ChatFormat(template: Self.template, place: "t.jinja")
    let session = try ChatSession(engine: engine, format: format, options: greedy, system: "sys")
    var messages: [JSONValue] = [ChatConversation.message("system", "sys")]
    var kept: [Int] = []
    for text in ["the", "upon a", "once"] {
      let answer = try session.answer(text)
      messages.append(ChatConversation.message("user", text))
      let other = try self.engine()
      let expected = try other.generate(
        chat: try format.prompt(ChatConversation(messages)), options: greedy)
      #expect(answer.text == expected.text)
      messages.append(ChatConversation.message("assistant", answer.text))
      kept.append(answer.kept)
    }
    #expect(kept[0] == 0 && kept[1] > 5 && kept[2] > kept[1])
    session.reset()
    #expect(session.messages.isEmpty)
    let again = try session.answer("the")
    #expect(again.kept > 0)
    #expect(session.messages.count == 2)
  }

  @Test func aTurnThatDoesNotFitIsTakenBack() throws {
    let engine = try engine()
    let format = try ChatFormat(template: Self.template, place: "t.jinja")
    let session = try ChatSession(engine: engine, format: format, options: greedy)
    let first = try session.answer("the").text
    let error = #expect(throws: LabError.self) {
      try session.answer(String(repeating: "xyz", count: 400))
    }
    #expect(error?.kind == .badData && error?.advice?.contains("/reset") == true)
    #expect(session.messages.count == 2)
    session.reset()
    #expect(try session.answer("the").text == first)
  }

  /// A greedy text that goes round in circles does so no longer with DRY.
  @Test func dryEndsARepetition() throws {
    let engine = try engine()
    var options = greedy
    options.maxTokens = 80
    let plain = try engine.generate(text: "once", options: options).result.tokens
    options.sampling.dryMultiplier = 5
    options.sampling.dryBreakers = []
    let dry = try engine.generate(text: "once", options: options).result.tokens
    func repeats(_ tokens: [Int]) -> Int {
      Set((0..<(tokens.count - 3)).map { Array(tokens[$0..<($0 + 4)]) }).count
    }
    #expect(repeats(dry) > repeats(plain) || repeats(plain) == plain.count - 3)
  }
}
