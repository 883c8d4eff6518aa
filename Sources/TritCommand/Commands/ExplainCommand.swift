import TritLab

/// `trit explain`: one step of the lab at toy sizes, drawn.
enum ExplainCommand {
  /// What can be explained.
  enum Subject: String, CaseIterable {
    case packing, quantizer, activations, kernel, sums, sampling, format
  }

  static let what = ArgumentSpec(
    "what", help: "What to explain", choices: Subject.allCases.map(\.rawValue))
  static let name = ArgumentSpec(
    "name", help: "Which one, as in 'trit list'; for sampling a chain of stages", optional: true)
  static let rows = OptionSpec("--rows", value: "n", help: "Rows, or outputs", default: "4")
  static let columns = OptionSpec(
    "--columns", value: "n", help: "Columns, inputs or tokens", default: "8")
  static let seed = OptionSpec(
    "--seed", value: "n", help: "Seed of the example's numbers", default: "1")
  static let output = OptionSpec(
    "-o", "--output", value: "file", help: "Write a picture .svg, a page .html or a text .txt",
    completion: Completion(files: .ending([".svg", ".html", ".txt"])))

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "explain", context, overview: "Draw one step of the lab at toy sizes.",
      discussion: """
        packing: trits, codes, bytes, and which trit lies in which bits. quantizer: a worked matrix \
        and the number line. activations: a row, its codes and errors. sums: dot products by codes; \
        kernel: the same beside a kernel's. sampling: a distribution after each stage of a chain. \
        format: bits a weight, to scale. \
        Stages of plug-ins are explained like the lab's own.
        """,
      arguments: [what, name],
      groups: [OptionGroup("OPTIONS", [rows, columns, seed, output])],
      json: "one object with the numbers, the text and the SVG", plugins: true,
      examples: [
        ("trit explain packing i2_s --rows 4 --columns 8", "which trit lies in which bits"),
        ("trit explain packing tl2 -o tl2.svg", "the same as a picture, for a slide"),
        ("trit explain quantizer absmean --rows 4 --columns 4", "from weights to trits, by hand"),
        (
          "trit explain sampling 'temperature:value=0.7; top-k:k=5; top-p:p=0.9'",
          "what each stage leaves of a distribution"
        ),
        ("trit explain format", "bits a weight of every packing"),
      ],
      run: run)
  }

  /// What was drawn, and its numbers.
  struct Explanation {
    let drawing: any Drawable
    let name: String?
    let facts: [(key: String, value: JSONValue)]
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let subject = try arguments.choice(what).flatMap(Subject.init) ?? .packing
    // The file's kind is checked before anything is computed.
    let file = try arguments.text(output).map { try ($0, ExplainFile(path: $0)) }
    let explanation = try explain(subject, arguments)
    let data = explanation.drawing.displayData
    if let (path, kind) = file { try AtomicFile.write(kind.text(data, explanation), to: path) }
    if arguments.isJSON {
      var object: [(key: String, value: JSONValue)] = [
        ("what", .string(subject.rawValue)),
        ("name", explanation.name.map(JSONValue.string) ?? .null),
      ]
      object += explanation.facts
      object += [("text", .string(data.plain)), ("svg", .string(data[.svg] ?? ""))]
      if let (path, _) = file { object.append(("file", .string(path))) }
      return try Terminal.json(.object(object))
    }
    if let (path, _) = file { return Terminal.note("\(path)") }
    try Terminal.line(data.plain)
  }

  private static func explain(_ subject: Subject, _ arguments: ParsedArguments) throws
    -> Explanation
  {
    switch subject {
    case .packing: try packing(arguments)
    case .quantizer: try quantizer(arguments)
    case .activations: try activations(arguments)
    case .kernel: try sums(arguments, withKernel: true)
    case .sums: try sums(arguments, withKernel: false)
    case .sampling: try sampling(arguments)
    case .format: try format(arguments)
    }
  }

  // MARK: What they have in common

  /// The second word.
  static func given(_ arguments: ParsedArguments) -> String? {
    arguments.arguments.count > 1 ? arguments.arguments[1] : nil
  }

  /// Rows and columns that were asked for.
  static func shape(
    _ arguments: ParsedArguments, rows standardRows: Int = 4, columns standardColumns: Int = 8,
    most: (rows: Int, columns: Int) = (64, 512)
  ) throws -> (rows: Int, columns: Int) {
    (
      try arguments.integer(rows, in: 1...most.rows) ?? standardRows,
      try arguments.integer(columns, in: 1...most.columns) ?? standardColumns
    )
  }

  static func random(_ arguments: ParsedArguments) throws -> SeededRandom {
    SeededRandom(seed: UInt64(try arguments.integer(seed, in: 0...Int.max) ?? 1))
  }

  /// Bell-shaped values with two decimals, so that they can be followed with pencil and paper.
  static func bell(_ count: Int, _ random: inout SeededRandom) -> [Float] {
    (0..<count).map { _ in
      let sum = (0..<12).reduce(-6.0) { total, _ in total + random.uniform() }
      return Float((sum * 100).rounded() / 100)
    }
  }

  static func trits(rows: Int, columns: Int, _ random: inout SeededRandom) -> TernaryMatrix {
    let trits = (0..<(rows * columns)).map { _ in Int8(random.below(3)) - 1 }
    return TernaryMatrix(rows: rows, columns: columns, trits: AlignedBuffer(trits), scales: [0.5])
  }

  static func list(_ values: some Sequence<Int>) -> JSONValue {
    JSONValue(Array(values))
  }
}

/// What a file shall hold, by its ending.
enum ExplainFile: String {
  case svg, html, txt

  /// Throws a usage error for any other ending.
  init(path: String) throws {
    let ending = path.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
    guard path.contains("."), let kind = ExplainFile(rawValue: ending.lowercased()) else {
      throw LabError(
        .usage, "the ending of the file says what it shall hold, and this one says nothing",
        at: path, expected: ".svg, .html or .txt", got: path.isEmpty ? "''" : path,
        advice: "name it, say, explain.svg")
    }
    self = kind
  }

  func text(_ data: DisplayData, _ explanation: ExplainCommand.Explanation) -> String {
    switch self {
    case .svg: (data[.svg] ?? "") + "\n"
    case .txt: data.plain + "\n"
    case .html:
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(Markup.xml(explanation.drawing.heading))</title>
      <style>body{max-width:44rem;margin:0 auto;padding:8px;font-family:system-ui,sans-serif}
      pre{overflow-x:auto;font-size:12px}svg{display:block;margin:0 auto}</style></head>
      <body>
      \(data[.svg] ?? "")
      <details><summary>As text</summary><pre>\(Markup.xml(data.plain))</pre></details>
      </body></html>

      """
    }
  }
}
