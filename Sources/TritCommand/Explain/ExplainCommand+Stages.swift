import TritLab

/// Packings, quantizers, kernels: what happens to weights and activations.
extension ExplainCommand {
  /// A stage by name with its summary; the lab's errors for a name that it has not.
  private static func made<Product: Sendable>(
    _ kind: StageKind<Product>, _ standard: String, _ arguments: ParsedArguments
  ) throws -> (product: Product, choice: StageChoice, summary: String) {
    let choice = try StageChoice(parsing: given(arguments) ?? standard)
    let product = try arguments.lab.make(kind, choice)
    let summary = arguments.lab[kind].descriptor(choice.name)?.summary ?? ""
    return (product, choice, summary)
  }

  static func packing(_ arguments: ParsedArguments) throws -> Explanation {
    let shape = try shape(arguments)
    var random = try random(arguments)
    let (packing, choice, summary) = try made(.packing, "i2_s", arguments)
    let weights = trits(rows: shape.rows, columns: shape.columns, &random)
    let drawing = try PackingDrawing(packing, weights, summary: summary)
    let groups = drawing.toyGroups.map { index -> JSONValue in
      let group = drawing.map.groups[index]
      return [
        "trits": .array(
          group.trits.map { list([$0 / drawing.map.columns, $0 % drawing.map.columns]) }),
        "values": list(group.trits.map { Int(drawing.trit($0)) }),
        "fields": .array(
          drawing.map.fields(ofGroup: index).map { field in
            [
              "byte": JSONValue(field.byte), "high_bit": JSONValue(field.high),
              "bits": JSONValue(field.width),
              "value": JSONValue(field.value(in: drawing.bytes)),
            ]
          }),
      ]
    }
    return Explanation(
      drawing: drawing, name: choice.description,
      facts: [
        ("rows", JSONValue(shape.rows)), ("columns", JSONValue(shape.columns)),
        ("packed_rows", JSONValue(drawing.map.rows)),
        ("packed_columns", JSONValue(drawing.map.columns)),
        ("trits", list(drawing.trits.trits.map(Int.init))), ("groups", .array(groups)),
        ("bytes", list(drawing.bytes.map(Int.init))),
      ])
  }

  static func quantizer(_ arguments: ParsedArguments) throws -> Explanation {
    let shape = try shape(arguments, columns: 4)
    var random = try random(arguments)
    let (quantizer, choice, summary) = try made(.quantizer, "absmean", arguments)
    let values = bell(shape.rows * shape.columns, &random)
    let drawing = try QuantizerDrawing(
      quantizer, Matrix(rows: shape.rows, columns: shape.columns, values), summary: summary)
    var facts: [(key: String, value: JSONValue)] = [
      ("rows", JSONValue(shape.rows)), ("columns", JSONValue(shape.columns)),
      ("weights", JSONValue(values)),
    ]
    switch drawing.quantized {
    case .ternary(let matrix):
      facts.append(("codes", list(matrix.trits.buffer.map(Int.init))))
      facts.append(("scales", JSONValue(matrix.scales)))
      withExtendedLifetime(matrix) {}
    case .integer(let matrix):
      facts.append(("codes", list(matrix.values.buffer.map(Int.init))))
      facts.append(("scales", JSONValue(matrix.scales)))
      withExtendedLifetime(matrix) {}
    case .dense: break
    }
    facts.append(("relative_error", JSONValue(drawing.relativeError)))
    return Explanation(drawing: drawing, name: choice.description, facts: facts)
  }

  static func activations(_ arguments: ParsedArguments) throws -> Explanation {
    let shape = try shape(arguments)
    var random = try random(arguments)
    let (quantizer, choice, summary) = try made(.activations, "int8", arguments)
    let values = bell(shape.columns, &random)
    let drawing = ActivationDrawing(quantizer, values, summary: summary)
    var facts: [(key: String, value: JSONValue)] = [
      ("columns", JSONValue(shape.columns)),
      ("values", JSONValue(values)),
      ("dequantized", .array(drawing.dequantized.map { JSONValue($0) })),
    ]
    if let codes = drawing.codes, let scale = drawing.scale {
      facts += [
        ("codes", list(codes.map(Int.init))), ("scale", JSONValue(scale)),
        ("sum", JSONValue(drawing.sum)),
      ]
    }
    return Explanation(drawing: drawing, name: choice.description, facts: facts)
  }

  static func sums(_ arguments: ParsedArguments, withKernel: Bool) throws -> Explanation {
    if !withKernel, let name = given(arguments) {
      throw LabError(
        .usage, "sums are the same for every kernel, and take no name", expected: "no name",
        got: name, advice: "use 'trit explain kernel \(name)' to see a kernel's beside them")
    }
    let shape = try shape(arguments)
    var random = try random(arguments)
    let weights = trits(rows: shape.rows, columns: shape.columns, &random)
    let activations = (0..<shape.columns).map { _ in Int8(random.below(255) - 127) }
    var drawing = try ProductDrawing(TritGrid(weights), activations)
    var name: String?
    if withKernel {
      let (kernel, choice, _) = try made(.kernel, "reference", arguments)
      name = choice.description
      drawing.witness = (kernel.name, try sums(kernel, weights, activations))
    }
    let rows = 0..<shape.rows
    var facts: [(key: String, value: JSONValue)] = [
      ("rows", JSONValue(shape.rows)), ("columns", JSONValue(shape.columns)),
      ("trits", list(drawing.trits.trits.map(Int.init))),
      ("activations", list(activations.map(Int.init))),
      ("code_sums", list(rows.map { drawing.codeSum(row: $0) })),
      ("activation_sum", JSONValue(drawing.activationSum)),
      ("sums", list(rows.map { drawing.sum(row: $0) })),
    ]
    if let witness = drawing.witness { facts.append(("kernel_sums", list(witness.sums))) }
    return Explanation(drawing: drawing, name: name, facts: facts)
  }

  /// The integer sums of a kernel. What it cannot take at this size is filled up with zeros, which
  /// change no sum.
  private static func sums(
    _ kernel: any LinearKernel, _ weights: TernaryMatrix, _ activations: [Int8]
  ) throws -> [Int] {
    var refusal: (any Error)?
    for shape in PackingDrawing.shapes(rows: weights.rows, columns: weights.columns) {
      let trits = AlignedBuffer<Int8>(count: shape.rows * shape.columns)
      for row in 0..<weights.rows {
        for column in 0..<weights.columns {
          trits[row * shape.columns + column] = weights.trits[row * weights.columns + column]
        }
      }
      let matrix = TernaryMatrix(
        rows: shape.rows, columns: shape.columns, trits: trits, scales: weights.scales)
      let layer: any PreparedLinear
      do { layer = try kernel.prepare(.ternary(matrix), for: .int8) } catch {
        refusal = refusal ?? error
        continue
      }
      let rows = QuantizedRows(capacity: 1, columns: shape.columns)
      rows.begin(rows: 1, form: .int8)
      for (column, value) in activations.enumerated() { rows.values[column] = value }
      rows.scales[0] = 1
      rows.sums[0] = activations.reduce(0) { $0 + Int32($1) }
      if let layout = layer.inputLayout { _ = rows.built(layout) }
      let sums = Matrix<Int32>(rows: 1, columns: shape.rows)
      guard layer.accumulate(rows, rows: 0..<shape.rows, into: sums.mutableView) else {
        throw LabError(
          .usage, "kernel '\(kernel.name)' gives no integer sums: it computes in float32",
          expected: "a kernel that multiplies int8", got: kernel.name,
          advice: "'trit list kernel' says what each takes; 'reference' has sums",
          code: .wrongForm)
      }
      return (0..<weights.rows).map { Int(sums[0, $0]) }
    }
    throw refusal
      ?? LabError(
        .usage, "kernel '\(kernel.name)' takes no matrix of this size", got: "\(weights.rows) rows",
        advice: "try other --rows and --columns", code: .wrongShape)
  }
}
