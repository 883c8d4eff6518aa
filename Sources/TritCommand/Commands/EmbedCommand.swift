import TritLab

/// `trit embed`: texts to vectors.
enum EmbedCommand {
  static let prompt = OptionSpec("-p", "--prompt", value: "text", help: "One text")
  static let file = OptionSpec(
    "-f", "--file", value: "file", help: "Texts, one a line; - is standard input")
  static let tokens = OptionSpec(
    "--tokens", value: "list", help: "The ids of one text, as they are: 1,2,3 or '[1, 2, 3]'")
  static let pooling = OptionSpec(
    "--pooling", value: "name", help: "How the states of a text become a vector: last or mean",
    default: "as the model says, else last", choices: ["last", "mean"])
  static let output = OptionSpec(
    "-o", "--output", value: "file.safetensors",
    help: "Write the vectors there, embeddings [texts, hidden] in float32",
    completion: Completion(files: .any))

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "embed", context, overview: "Turn texts into vectors.",
      discussion: """
        A text's vector is the state of its last token, or the mean of all, after the last norm, with a length of 1: \
        the cosine of two texts is the sum of products of their vectors. One line of numbers a text is printed. \
        The tokenizer's template applies, so that a model that was trained with a closing token gets it. Empty \
        lines of a file are left out; a text that is longer than the context loses its end, and that is said. \
        Instructions that a model wants before queries belong to the text.
        """,
      groups: [
        OptionGroup("OPTIONS", [prompt, file, tokens, pooling, output]), ModelOptions.group,
        context.stages.group,
      ],
      json: "one object: dimension, pooling, and embeddings with tokens and vector",
      plugins: true,
      examples: [
        ("trit embed -m model.gguf -p 'a text'", "its vector"),
        ("trit embed -m model/ -f texts.txt -o vectors.safetensors", "one row a line"),
        ("trit embed -m model.gguf --tokens 5,8,13 --json", "of ids, without a tokenizer"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let given = [prompt, file, tokens].filter { arguments.has($0) }
    guard given.count <= 1 else { throw ParserError.conflict(given[0], given[1]) }
    guard !given.isEmpty else { throw ParserError.missingOption([prompt, file, tokens]) }
    let ids = try arguments.text(tokens).map { try TextInput.ids($0, at: "--tokens") }
    let texts = try texts(arguments)
    let engine = try EngineLoader.load(arguments)
    EngineLoader.announce(engine)
    let embedder = TextEmbedder(
      engine, pooling: arguments.text(pooling).flatMap(Pooling.init(rawValue:)))
    var results: [(tokens: [Int], vector: [Float])] = []
    if let ids {
      results.append((ids, try engine.embed(ids, pooling: embedder.pooling)))
    }
    for (index, text) in texts.enumerated() {
      let result = try embedder.embed(text)
      if result.isTruncated {
        Terminal.note(
          "note: text \(index + 1) is longer than the context of \(engine.contextLength): its end "
            + "is left out")
      }
      results.append((result.tokens, result.vector))
    }
    let name = (embedder.pooling ?? engine.configuration.pooling ?? .last).rawValue
    let hidden = engine.configuration.hiddenSize
    if let path = arguments.text(output) {
      let all = results.flatMap(\.vector)
      try SafetensorsWriter.write(
        [
          try TensorContent(
            name: "embeddings", type: .f32, shape: [results.count, hidden],
            floats: AlignedBuffer(all))
        ], metadata: ["format": "pt", "pooling": name], to: path)
      Terminal.note("wrote \(results.count) vectors of \(hidden) to \(path)")
      return
    }
    if arguments.isJSON {
      return try Terminal.json([
        "dimension": JSONValue(hidden), "pooling": .string(name),
        "embeddings": .array(
          results.map {
            [
              "tokens": JSONValue($0.tokens),
              "vector": .array($0.vector.map { JSONValue(Double($0)) }),
            ]
          }),
      ])
    }
    for (_, vector) in results {
      try Terminal.line(vector.map { "\($0)" }.joined(separator: " "))
    }
  }

  /// The texts of `-p` or `-f`.
  private static func texts(_ arguments: ParsedArguments) throws -> [String] {
    if let text = arguments.text(prompt) { return [text] }
    guard let path = arguments.text(file) else { return [] }
    let lines = try TextInput.contents(of: path).split(whereSeparator: \.isNewline)
      .map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
    guard !lines.isEmpty else {
      throw LabError(.badData, "there are no texts", at: path, expected: "one a line")
    }
    return lines
  }
}
