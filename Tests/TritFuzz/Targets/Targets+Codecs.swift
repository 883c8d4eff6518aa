import TritKernels
import TritLab

extension FuzzTarget {
  /// What turns numbers into codes and back. Inputs are arguments: shapes, forms, values.
  static let codecs = [
    FuzzTarget(
      name: "float-codec", summary: "tensor types, decoded from any bytes and encoded again",
      grammar: .bytes,
      minimumAccepted: 0.3, areSeedsGood: false,
      sources: ["TritFormats/FloatDecoding", "TritFormats/FloatEncoding"],
      seeds: noise
    ) { _ in floatCodec },
    FuzzTarget(
      name: "packing", summary: "packings: weights there and back, and any bytes as a file's",
      grammar: .bytes,
      minimumAccepted: 0.1, share: 2, areSeedsGood: false, sources: ["TritKernels/Packings"],
      seeds: noise
    ) { _ in packing },
    FuzzTarget(
      name: "quantizer", summary: "weight quantizers with any parameters on any floats",
      grammar: .bytes,
      minimumAccepted: 0.1, share: 2, areSeedsGood: false, sources: ["TritQuantization"],
      seeds: noise
    ) { _ in quantizer },
    FuzzTarget(
      name: "activations", summary: "activation quantizers with any parameters on any floats",
      grammar: .bytes,
      minimumAccepted: 0.1, areSeedsGood: false,
      sources: ["TritQuantization/Int", "TritQuantization/Hadamard"],
      seeds: noise
    ) { _ in activations },
    FuzzTarget(
      name: "kernel",
      summary: "linear kernels on any shape and number of tokens, against the reference",
      grammar: .bytes, minimumAccepted: 0.1, share: 2, areSeedsGood: false,
      sources: [
        "TritKernels/I2S", "TritKernels/Lookup", "TritKernels/Base3", "TritKernels/Sparse",
        "TritKernels/Integer", "TritKernels/Scalar",
      ], seeds: noise
    ) { _ in
      let kernels = Registry<any LinearKernel>.standard.available().map(\.product).filter {
        $0.name != "auto"
      }
      return { try kernel($0, kernels) }
    },
    FuzzTarget(
      name: "sampler", summary: "sampling options and chains on any logits", grammar: .bytes,
      minimumAccepted: 0.1, areSeedsGood: false,
      sources: ["TritSampling"], seeds: noise
    ) { _ in sampler },
  ]

  /// Bytes of every value, in an order that a seed gives.
  static func noise() -> [[UInt8]] {
    (1...24).map { seed in
      var random = SeededRandom(seed: UInt64(seed))
      return (0..<16 << (seed % 6)).map { _ in UInt8(random.below(256)) }
    }
  }

  static func floatCodec(_ bytes: [UInt8]) throws {
    var source = ByteSource(bytes)
    let type = source.element(of: TensorType.all)
    let raw = source.rest()
    guard let block = type.block else { throw LabError(.badData, "a container") }
    let blocks = raw.count / block.bytes
    let count = blocks * block.elements
    let info = TensorInfo(name: "t", type: type, shape: [count], byteCount: blocks * block.bytes)
    let values = try raw.withUnsafeBytes {
      try FloatDecoding.decode(
        UnsafeRawBufferPointer(rebasing: $0[..<info.byteCount]), info: info, path: "x")
    }
    try demand(values.count == count, "decoding gives every value")
    for target in FloatEncoding.types {
      guard let other = target.block, count % other.elements == 0 else { continue }
      let encoded: [UInt8]
      do { encoded = try FloatEncoding.encode(values, as: target) } catch is LabError { continue }
      try demand(
        encoded.count == count / other.elements * other.bytes,
        "encoding gives whole blocks of \(target.name)")
      guard target == type, [.f32, .f16, .bf16].contains(target) else { continue }
      let again = try encoded.withUnsafeBytes {
        try FloatDecoding.decode($0, info: info, path: "x")
      }
      for index in 0..<count where !values[index].isNaN {
        try demand(again[index] == values[index], "\(target.name) there and back: \(values[index])")
      }
    }
  }

  private static func weights(_ source: inout ByteSource, packing: String? = nil)
    -> QuantizedWeights
  {
    // Shapes that fit blocks, mostly.
    let rows = source.flag() ? source.integer(in: 1...70) : 32 * source.integer(in: 1...3)
    let columns = source.flag() ? source.integer(in: 1...700) : 128 * source.integer(in: 1...5)
    let granularity: ScaleGranularity =
      switch source.below(6) {
      case 0, 1: .tensor
      case 2, 3: .row
      case 4: .group(256)
      default: .group(source.integer(in: 1...300))
      }
    let bits = source.below(3) == 0 ? source.integer(in: 2...8) : 0
    let oddScales = source.below(8) == 0
    let count = granularity.scaleCount(rows: rows, columns: columns)
    let scales = (0..<count).map { _ in
      oddScales ? source.float() : Float(source.byte()) / 64 + 0.01
    }
    var random = SeededRandom(seed: source.long())
    let values = AlignedBuffer<Int8>(count: rows * columns)
    for index in 0..<values.count {
      values.base[index] = Int8(
        bits == 0 ? random.below(3) - 1 : random.below(1 << bits) - 1 << (bits - 1))
    }
    return bits == 0
      ? .ternary(
        TernaryMatrix(
          rows: rows, columns: columns, trits: values, scales: scales, granularity: granularity))
      : .integer(
        IntegerMatrix(
          rows: rows, columns: columns, bits: bits, values: values, scales: scales,
          granularity: granularity))
  }

  static func packing(_ bytes: [UInt8]) throws {
    var source = ByteSource(bytes)
    let packings = Registry<any Packing>.standard.available()
    let packing = packings[source.below(packings.count)].product
    if source.below(3) == 0 {
      // As if from a file.
      let rows = source.flag() ? source.integer(in: 0...70) : 32 * source.integer(in: 1...3)
      let columns = source.flag() ? source.integer(in: 0...700) : 128 * source.integer(in: 1...5)
      let scales: [Float]? = source.flag() ? nil : [source.float()]
      var random = SeededRandom(seed: source.long())
      var count = packing.byteCount(rows: rows, columns: columns)
      if source.below(8) == 0 { count += source.integer(in: -3...3) }
      let pattern = source.rest(atMost: 512)
      let file = (0..<max(count, 0)).map {
        $0 < pattern.count ? pattern[$0] : UInt8(random.below(256))
      }
      let packed = try file.withUnsafeBytes {
        try packing.read($0, rows: rows, columns: columns, scales: scales)
      }
      let back = try packing.unpack(packed)
      try demand(
        back.rows == rows && back.columns == columns,
        "what is read has the shape that was asked for")
      return
    }
    let weights = weights(&source)
    let packed = try packing.pack(weights)
    try demand(
      packed.bytes.count == packing.byteCount(rows: weights.rows, columns: weights.columns),
      "pack gives byteCount bytes")
    let back = try packing.unpack(packed)
    switch (weights, back) {
    case (.ternary(let a), .ternary(let b)):
      for index in 0..<a.trits.count {
        try demand(a.trits[index] == b.trits[index], "\(packing.name): trit \(index)")
      }
      for row in 0..<a.rows {
        let (x, y) = (
          packing.storedScale(a.scale(row: row, column: 0)), b.scale(row: row, column: 0)
        )
        try demand(
          x == y || (x.isNaN && y.isNaN),
          "\(packing.name): the scale of row \(row): \(x) became \(y)")
      }
    case (.integer(let a), .integer(let b)):
      for index in 0..<a.values.count {
        try demand(a.values[index] == b.values[index], "\(packing.name): value \(index)")
      }
    case (.ternary(let a), .integer(let b)):
      for index in 0..<a.trits.count {
        try demand(a.trits[index] == b.values[index], "\(packing.name): trit \(index)")
      }
    default: throw BrokenLaw("\(packing.name) gives back \(back.form) for \(weights.form)")
    }
  }

  private static func matrix(_ source: inout ByteSource) -> Matrix<Float> {
    let rows = source.integer(in: 1...9)
    let columns = source.flag() ? source.integer(in: 1...300) : 64 * source.integer(in: 1...4)
    let isOdd = source.below(3) == 0
    var random = SeededRandom(seed: source.long())
    let scale = source.flag() ? 1 : source.float()
    let matrix = Matrix<Float>(rows: rows, columns: columns)
    for index in 0..<rows * columns {
      matrix.storage.base[index] =
        isOdd && random.below(8) == 0 ? source.float() : Float(random.uniform() - 0.5) * scale
    }
    return matrix
  }

  static func quantizer(_ bytes: [UInt8]) throws {
    var source = ByteSource(bytes)
    let all = Lab.stages[.quantizer]
    let quantizer = try all.make(source.choice(of: all))
    let matrix = matrix(&source)
    let quantized = try quantizer.quantize(matrix.view)
    try demand(
      quantized.rows == matrix.rows && quantized.columns == matrix.columns, "the shape is kept")
    let values = quantized.dequantized()
    for index in 0..<values.storage.count {
      try demand(
        values.storage[index].isFinite,
        "\(quantizer.name): weight \(matrix.storage[index]) became \(values.storage[index])")
    }
    if case .ternary(let ternary) = quantized {
      for trit in ternary.trits.buffer {
        try demand((-1...1).contains(trit), "\(quantizer.name): a trit of \(trit)")
      }
    }
  }

  static func activations(_ bytes: [UInt8]) throws {
    var source = ByteSource(bytes)
    let all = Lab.stages[.activations]
    let quantizer = try all.make(source.choice(of: all))
    let matrix = matrix(&source)
    let rows = QuantizedRows(capacity: matrix.rows, columns: matrix.columns)
    quantizer.quantize(matrix.view, into: rows)
    try demand(rows.rows == matrix.rows, "every row is quantized")
    guard rows.form == .int8 else { return }
    for row in 0..<rows.rows {
      let values = UnsafeBufferPointer(start: rows.row(row), count: rows.stride)
      let sum = values.reduce(0) { $0 + Int32($1) }
      try demand(
        sum == rows.sums[row],
        "\(quantizer.name): the sum of row \(row) is \(sum), not \(rows.sums[row])")
      try demand(
        values[rows.columns...].allSatisfy { $0 == 0 },
        "\(quantizer.name): rows are padded with zeros")
    }
  }

  static func kernel(_ bytes: [UInt8], _ kernels: [any LinearKernel]) throws {
    var source = ByteSource(bytes)
    let kernel = source.element(of: kernels)
    let weights = weights(&source)
    let prepared = try kernel.prepare(weights)
    let exact = try ReferenceKernel().prepare(weights)
    let tokens = source.integer(in: 1...12)
    let x = QuantizedRows(capacity: tokens, columns: weights.columns)
    x.begin(rows: tokens, form: kernel.accepts)
    var random = SeededRandom(seed: source.long())
    let zeros = source.below(4)
    for token in 0..<tokens {
      var sum: Int32 = 0
      for column in 0..<weights.columns {
        let value = random.below(4) < zeros ? 0 : Int8(random.below(256) - 128)
        x.row(token)[column] = value
        sum += Int32(value)
        if kernel.accepts == .float32 {
          x.floats.base[token * weights.columns + column] = Float(value) / 64
        }
      }
      x.scales[token] = 1 / 64
      x.sums[token] = sum
    }
    let output = Matrix<Float>(rows: tokens, columns: weights.rows)
    prepared.multiply(x, into: output.mutableView)
    guard kernel.accepts == .int8 else { return }
    let sums = Matrix<Int32>(rows: tokens, columns: weights.rows)
    let expected = Matrix<Int32>(rows: tokens, columns: weights.rows)
    guard prepared.accumulate(x, rows: 0..<weights.rows, into: sums.mutableView),
      exact.accumulate(x, rows: 0..<weights.rows, into: expected.mutableView),
      !(prepared is any LossyLinear)
    else { return }
    for index in 0..<sums.storage.count {
      try demand(
        sums.storage[index] == expected.storage[index],
        "\(kernel.name), \(weights.rows) × \(weights.columns), \(tokens) tokens: \(sums.storage[index]), not \(expected.storage[index])"
      )
    }
  }

  static func sampler(_ bytes: [UInt8]) throws {
    var source = ByteSource(bytes)
    var values: [String: ParameterValue] = [:]
    for parameter in SamplingOptions.parameters where source.flag() {
      values[parameter.name] = source.value(of: parameter)
    }
    let vocabulary = source.integer(in: 1...100)
    var chain: SamplerChain
    if source.flag() {
      chain = try SamplerChain(try SamplingOptions(values), vocabulary: vocabulary)
    } else {
      var stages = (0..<source.below(5)).map { _ in
        source.choice(of: Registry<any LogitsProcessor>.standard)
      }
      stages.append(source.choice(of: Registry<any Sampler>.standard))
      chain = try SamplerChain(stages: stages, seed: source.long(), vocabulary: vocabulary)
    }
    var history = TokenHistory((0..<source.below(20)).map { _ in Int32(source.below(vocabulary)) })
    let isOdd = source.below(4) == 0
    for _ in 0..<4 {
      let logits = (0..<vocabulary).map { _ in
        isOdd ? source.float() : Float(source.byte()) / 16 - 8
      }
      let token = try logits.withUnsafeBufferPointer {
        try chain.next(logits: $0, history: history)
      }
      try demand(
        token >= 0 && Int(token) < vocabulary,
        "a token of the vocabulary: \(token) of \(vocabulary)")
      try demand(logits[Int(token)] > -.infinity, "a banned token is never drawn")
      history.append(token)
    }
  }
}
