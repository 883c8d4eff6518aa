import Foundation
import Testing
import TritLab
import TritModel
import _TritTestSupport

/// Chat templates and end tokens on the way from one container to another.
@Suite struct ExportedTemplateTests {
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder("templates")
    model = try TinyCheckpoint.write(.bitnetOnline, in: folder)
  }

  private static let templates = [
    ("default", "{% for m in messages %}{{ m.content }}{% endfor %}"), ("tool_use", "{{ tools }}"),
  ]

  /// Keys of llama.cpp: `tokenizer.chat_template`, `.NAME`, and the list of names.
  @Test func namedTemplatesGoThroughFiles() throws {
    let list = Self.templates.map { #"{"name": "\#($0.0)", "template": "\#($0.1)"}"# }
    try #"{"chat_template": [\#(list.joined(separator: ", "))]}"#
      .write(toFile: model + "/tokenizer_config.json", atomically: true, encoding: .utf8)
    let path = folder.file("m.gguf")
    try GGUFExport(try Checkpoint(path: model)).write(to: path)
    let file = try GGUFFile(path: path)
    #expect(file["tokenizer.chat_template"] == .string(Self.templates[0].1))
    #expect(file["tokenizer.chat_template.tool_use"] == .string(Self.templates[1].1))
    #expect(file["tokenizer.chat_templates"] == .array(.string(["tool_use"])))
    let again = folder.file("again.gguf")
    try GGUFExport(try Checkpoint(path: path)).write(to: again)
    let back = folder.file("back")
    try HuggingFaceExport(try Checkpoint(path: again), form: .packed).write(to: back)
    let copy = folder.file("copy")
    try HuggingFaceExport(try Checkpoint(path: model), form: .packed).write(to: copy)
    for place in [path, again, back, copy] {
      let sources = try ChatFormat(path: place).sources
      #expect(sources.map(\.name) == ["default", "tool_use"], "\(place)")
      #expect(sources.map(\.text) == Self.templates.map(\.1), "\(place)")
    }
  }

  /// The one that bitnet.cpp's converter wrote for 2B-4T is not passed on, in whichever container.
  @Test func theKnownWrongTemplateIsMendedOnTheWay() throws {
    let wrong = "{{ 'Human: ' + messages[0]['content'] + '\\n\\nBITNETAssistant: ' }}"
    let path = folder.file("m.gguf")
    try GGUFExport(try Checkpoint(path: model)).write(to: path)
    let file = try GGUFFile(path: path)
    var writer = GGUFWriter()
    for (key, value) in file.metadata { writer.set(key, value) }
    writer.set("tokenizer.chat_template", .string(wrong))
    for info in file.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try file.bytes(info.name)))
    }
    let spoiled = folder.file("spoiled.gguf")
    try writer.write(to: spoiled)
    try wrong.write(
      toFile: model + "/chat_template.jinja", atomically: true, encoding: .utf8)
    for source in [spoiled, model] {
      let checkpoint = try Checkpoint(path: source)
      #expect(try ChatFormat(path: source).stored[0].isKnownWrong)
      let out = folder.file(UUID().uuidString + ".gguf")
      let summary = try GGUFExport(checkpoint).write(to: out)
      #expect(summary.notes.contains { $0.contains("is not the one that the model was trained") })
      let template = try #require(try GGUFFile(path: out)["tokenizer.chat_template"]?.string)
      #expect(template.contains("<|eot_id|>") && !template.contains("BITNET"))
      let back = folder.file(UUID().uuidString)
      let other = try HuggingFaceExport(checkpoint, form: .packed).write(to: back)
      #expect(other.notes.contains { $0.contains("is not the one that the model was trained") })
      let format = try ChatFormat(path: back)
      #expect(!format.stored[0].isKnownWrong && format.notes.isEmpty)
      #expect(
        try format.prompt(ChatConversation(user: " Hi "))
          == "User: Hi<|eot_id|>Assistant: ")
    }
  }

  /// Every token that ends a generation is in `eos_token_id`, the main one first.
  @Test func endTokensOfFilesAreInTheFolder() throws {
    let path = folder.file("m.gguf")
    try GGUFExport(try Checkpoint(path: model)).write(to: path)
    let file = try GGUFFile(path: path)
    var writer = GGUFWriter()
    for (key, value) in file.metadata { writer.set(key, value) }
    writer.set("tokenizer.ggml.eot_token_id", .uint32(7))
    writer.set("tokenizer.ggml.padding_token_id", .uint32(3))
    for info in file.tensors {
      writer.add(
        try TensorContent(
          name: info.name, type: info.type, shape: info.shape, bytes: try file.bytes(info.name)))
    }
    let changed = folder.file("changed.gguf")
    try writer.write(to: changed)
    let back = folder.file("back")
    try HuggingFaceExport(try Checkpoint(path: changed), form: .packed).write(to: back)
    for name in ["config.json", "generation_config.json"] {
      let ids = try JSONReader.readFile(back + "/" + name)["eos_token_id"]?.array?
        .compactMap(\.integer)
      #expect(ids?.first == TinyTokenizer.end && ids?.contains(7) == true, "\(name)")
    }
    let generation = try JSONReader.readFile(back + "/generation_config.json")
    #expect(generation["pad_token_id"]?.integer == 3)
    #expect(try Checkpoint(path: back).tokenizer().endOfGeneration.isSuperset(of: [7]))
  }
}
