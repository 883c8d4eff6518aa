import TritLab

/// `trit tokenize`: text to tokens.
enum TokenizeCommand {
  static let model = OptionSpec(
    "-m", "--model", value: "model",
    help: "Model, or a tokenizer alone: tokenizer.json, tokenizer.model, tiktoken ranks, GGUF",
    environment: "TRITLAB_MODEL", completion: .models)
  static let ids = OptionSpec(flag: "--ids", help: "Print one JSON list of ids and nothing else")
  static let bos = OptionSpec(
    flag: "--bos", help: "Apply the model's template, usually BOS in front", negatable: true)
  static let special = OptionSpec(
    flag: "--parse-special", help: "Read text such as <|eot_id|> as the control token",
    negatable: true)

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "tokenize", context, overview: "Show the tokens of a text.",
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            model, ModelOptions.tokenizer, TextInput.prompt, TextInput.file, TextInput.escape, ids,
            bos, special,
          ])
      ],
      json: "one object: ids, and tokens with their text and bytes; with --ids the list of ids",
      examples: [
        ("trit tokenize -m model.gguf -p 'Hello world'", "one token a line"),
        ("trit tokenize -m tokenizer.json -f text.txt --ids --no-bos", "the ids of a file"),
        (
          "trit tokenize -m hf:ORG/NAME -p '<|begin|>Hi' --parse-special",
          "control tokens in the text"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let text = try TextInput.text(arguments)
    let tokenizer = try load(arguments)
    let tokens = try tokenizer.encode(
      text, addSpecial: arguments.flag(bos, default: true), parseSpecial: arguments.flag(special))
    if arguments.flag(ids) {
      return try Terminal.line("[" + tokens.map(String.init).joined(separator: ", ") + "]")
    }
    guard !arguments.isJSON else {
      let list = try tokens.map { token -> JSONValue in
        let bytes = try tokenizer.bytes(of: token, skipSpecial: false)
        // Part of a character has no text of its own.
        let text = String(validating: bytes, as: UTF8.self)
        return [
          "id": JSONValue(token), "text": text.map(JSONValue.string) ?? .null,
          "bytes": .array(bytes.map { JSONValue($0) }),
        ]
      }
      return try Terminal.json(["ids": JSONValue(tokens), "tokens": .array(list)])
    }
    for token in tokens {
      let digits = String(token)
      let padding = String(repeating: " ", count: max(0, 6 - digits.count))
      let bytes = try tokenizer.bytes(of: token, skipSpecial: false)
      try Terminal.line("\(padding)\(digits) -> '\(VisibleText.bytes(bytes))'")
    }
  }

  /// The tokenizer of a model or a file of its own.
  static func load(_ arguments: ParsedArguments) throws -> any Tokenizer {
    let name = try arguments.text(ModelOptions.tokenizer) ?? arguments.required(model)
    let tokenizer = try TokenizerLoader.load(path: try locate(name))
    for note in tokenizer.notes { Terminal.note(note) }
    return tokenizer
  }

  /// Where the model or tokenizer `name` lies.
  static func locate(_ name: String) throws -> String {
    let isElsewhere = name.hasPrefix("hf:") || name.hasPrefix("builtin:")
    return isElsewhere ? try ModelLocation.resolve(name) : name
  }
}

/// `trit detokenize`: tokens to text.
enum DetokenizeCommand {
  static let ids = OptionSpec(
    "--ids", value: "list", help: "The ids: 1,2,3 or '[1, 2, 3]'")
  static let file = OptionSpec(
    "-f", "--file", value: "file", help: "Read the ids from a file; - is standard input")
  static let special = OptionSpec(flag: "--special", help: "Print control tokens too")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "detokenize", context, overview: "Show the text of token ids.",
      discussion: """
        Prints the text and nothing else, not even a newline at the end. On a terminal, control \
        characters in it are written out, as \\u{1b}; a file or a pipe gets the text as it is.
        """,
      groups: [
        OptionGroup("OPTIONS", [TokenizeCommand.model, ModelOptions.tokenizer, ids, file, special])
      ],
      json: "one object: ids, text",
      examples: [
        ("trit detokenize -m model.gguf --ids 9038,2501,263,931", "the text of four tokens"),
        (
          "trit tokenize -m M -f a.txt --ids --no-bos | trit detokenize -m M -f - | cmp - a.txt",
          "there and back again"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let tokens: [Int]
    switch (arguments.text(ids), arguments.text(file)) {
    case (.some, .some): throw ParserError.conflict(ids, file)
    case (nil, nil): throw ParserError.missingOption([ids, file])
    case (let list?, nil): tokens = try TextInput.ids(list, at: "--ids")
    case (nil, let path?): tokens = try TextInput.ids(try TextInput.contents(of: path), at: path)
    }
    let tokenizer = try TokenizeCommand.load(arguments)
    let text = try tokenizer.decode(tokens, skipSpecial: !arguments.flag(special))
    guard !arguments.isJSON else {
      return try Terminal.json(["ids": JSONValue(tokens), "text": .string(text)])
    }
    try Terminal.product(text)
  }
}
