import Foundation
import TritLab

/// `trit logits`: the model's raw answers for a sequence of tokens, as a file.
enum LogitsCommand {
  static let tokens = OptionSpec(
    "--tokens", value: "file|list",
    help: "Token ids: 1,2,3, or a file with such a list, a JSON list, or a safetensors file with "
      + "a tensor 'tokens'")
  static let output = OptionSpec(
    "-o", "--output", value: "file", help: "The safetensors file to write")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "logits", context, overview: "Write the logits of a token sequence to a file.",
      discussion: """
        The file holds 'logits', float32 [n, vocabulary], row i after tokens 0…i, and 'tokens', \
        int32 [n]. The tokens are run as they are: no begin-of-text token is added.
        """,
      groups: [
        OptionGroup("OPTIONS", [tokens, output]), ModelOptions.group, context.stages.group,
      ],
      json: "one object about the file that was written", plugins: true,
      examples: [
        ("trit logits -m model.gguf --tokens 1,403,407 -o out.safetensors", "three positions"),
        (
          "trit logits -m checkpoint/ --tokens ids.json -o ref.safetensors --reference",
          "by the fp32 reference, to compare with"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let path = try arguments.required(output)
    let ids = try sequence(try arguments.required(tokens))
    guard !ids.isEmpty else {
      throw LabError(
        .badData, "there are no tokens to run", at: "--tokens", expected: "at least one id")
    }
    let engine = try EngineLoader.load(arguments, context: ids.count)
    EngineLoader.announce(engine)
    let numbers = try ids.map { id -> Int32 in
      guard let number = Int32(exactly: id), id < engine.vocabularySize else {
        throw LabError(
          .badData, "a token is outside the vocabulary", at: "--tokens",
          expected: "0…\(engine.vocabularySize - 1)", got: "\(id)",
          advice: "the ids come from another tokenizer")
      }
      return number.littleEndian
    }
    // Rows go to the file as they are computed: a long sequence over a large vocabulary need not
    // fit in memory.
    let logits = try TensorContent(
      name: "logits", type: .f32, shape: [ids.count, engine.vocabularySize]
    ) { sink in
      try engine.forEachLogits(of: ids, from: 0) { _, row in try sink(UnsafeRawBufferPointer(row)) }
    }
    let sequence = try TensorContent(
      name: "tokens", type: .i32, shape: [ids.count], bytes: numbers.withUnsafeBytes(Array.init))
    try SafetensorsWriter.write(
      [logits, sequence], metadata: ["format": "pt", "model": engine.path], to: path)
    guard !arguments.isJSON else {
      return try Terminal.json([
        "path": .string(path), "model": .string(engine.path), "positions": JSONValue(ids.count),
        "vocabulary": JSONValue(engine.vocabularySize),
      ])
    }
    Terminal.note("wrote \(path): logits [\(ids.count), \(engine.vocabularySize)]")
  }

  /// A list where it looks like one, else a file.
  private static func sequence(_ text: String) throws -> [Int] {
    let isList =
      text.hasPrefix("[") || text.allSatisfy { $0.isNumber || $0 == "," || $0.isWhitespace }
    if isList { return try TextInput.ids(text, at: "--tokens") }
    guard text.hasSuffix(".safetensors") else {
      return try TextInput.ids(try TextInput.contents(of: text), at: text)
    }
    let file = try SafetensorsFile(path: text)
    guard let info = file.info("tokens"), info.type == .i32 || info.type == .i64 else {
      throw LabError(
        .badData, "there are no token ids", at: text,
        expected: "a tensor 'tokens' of type I32 or I64",
        got: file.info("tokens")?.type.name ?? file.tensors.map(\.name).joined(separator: ", "))
    }
    let bytes = try file.bytes("tokens")
    let width = info.type == .i32 ? 4 : 8
    // The bytes are the file's: it must stay mapped until they are read.
    return withExtendedLifetime(file) {
      (0..<bytes.count / width).map { index in
        width == 4
          ? Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
          : Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
      }
    }
  }
}
