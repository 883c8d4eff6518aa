import Testing
import TritLab
import _TritTestSupport

/// Ternary tensors of GGUF files, looked at without an engine.
@Suite struct ContainerTests {
  /// Hugging Face's name of a GGUF tensor, and whether its rows are permuted for rotary pairs where
  /// the architecture's converter does so.
  private static func name(_ gguf: String) -> (name: String, isRotary: Bool) {
    if gguf == "token_embd.weight" { return ("model.embed_tokens.weight", false) }
    if gguf == "output.weight" { return ("lm_head.weight", false) }
    let parts = gguf.split(separator: ".").map(String.init)
    let names = [
      "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
      "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
      "ffn_down": "mlp.down_proj",
    ]
    return (
      "model.layers.\(parts[1]).\(names[parts[2]] ?? parts[2]).weight",
      parts[2] == "attn_q" || parts[2] == "attn_k"
    )
  }

  static let files: [(file: String, checkpoint: String, group: Int, headSize: Int?)] = [
    ("qwen3-q2_0-g64", "qwen3-group128", 128, nil),
    ("qwen3-q2_0-g128-id42", "qwen3-group128", 128, nil),
    ("qwen3-pq2_0", "qwen3-group128", 128, nil),
    ("qwen3-ptq1_0", "qwen3-group128", 128, nil),
    ("qwen3-tern256-tq1_0", "qwen3-tern256", 256, nil),
    ("qwen3-tern256-tq2_0", "qwen3-tern256", 256, nil),
    ("qwen3-binary128-q1_0", "qwen3-binary128", 128, nil),
    ("minicpm-pq2_0", "minicpm-group128", 128, 32),
    ("minicpm-q2_0-g64", "minicpm-group128", 128, 32),
  ]

  /// Every matrix is the checkpoint's, value for value, with the scales of its groups.
  @Test(.enabled(if: SharedData.isPresent), arguments: files)
  func tensorsAreTheCheckpoints(file: String, checkpoint: String, group: Int, headSize: Int?) throws
  {
    let gguf = try GGUFFile(path: try #require(SharedData.path("containers/\(file).gguf")))
    let source = try Safetensors.open(
      directory: try #require(SharedData.path("families/\(checkpoint)")))
    let configuration = try JSONReader.readFile(
      try #require(SharedData.path("families/\(checkpoint)/config.json")))
    var compared = 0
    for info in gguf.tensors where TernaryTensors.isContainer(info.type) {
      let matrix = try TernaryTensors.matrix(info, from: gguf)
      let (name, isRotary) = Self.name(info.name)
      let values = try source.floats(name)
      let (rows, columns) = (info.shape[0], info.shape[1])
      #expect(
        matrix.granularity == .group(group) || columns <= group && matrix.granularity == .row,
        "\(info.name): \(matrix.granularity)")
      let heads =
        configuration[
          info.name.contains("attn_k") ? "num_key_value_heads" : "num_attention_heads"]?.integer
        ?? 1
      let head = rows / heads
      let got = QuantizedWeights.ternary(matrix).dequantized()
      for row in 0..<rows {
        // llama.cpp's converter interleaves the halves of a head for MiniCPM.
        let (h, i) = (row / head, row % head)
        let from = headSize != nil && isRotary ? h * head + i / 2 + i % 2 * (head / 2) : row
        for column in 0..<columns
        where got[row, column] != values[from * columns + column] {
          Issue.record("\(info.name) [\(row), \(column)]")
          return
        }
      }
      compared += 1
    }
    #expect(compared > 8)
  }

  /// The embedding is read row by row as it lies there.
  @Test(.enabled(if: SharedData.isPresent), arguments: files)
  func embeddingRowsAreTheCheckpoints(
    file: String, checkpoint: String, group: Int, headSize: Int?
  ) throws {
    let gguf = try GGUFFile(path: try #require(SharedData.path("containers/\(file).gguf")))
    let source = try Safetensors.open(
      directory: try #require(SharedData.path("families/\(checkpoint)")))
    let table = try EmbeddingTable("token_embd.weight", in: gguf)
    let values = try source.floats("model.embed_tokens.weight")
    let row = AlignedBuffer<Float>(count: table.columns)
    for token in [0, 1, table.rows - 1] {
      try table.load(token, into: row.mutableBuffer)
      #expect(
        row.elements == Array(values.buffer[token * table.columns..<(token + 1) * table.columns]))
    }
  }

  /// A ternary head stays one: its bytes are the file's, its logits the matrix's.
  @Test(.enabled(if: SharedData.isPresent), arguments: files.map(\.file))
  func headsStayTernary(file: String) throws {
    let gguf = try GGUFFile(path: try #require(SharedData.path("containers/\(file).gguf")))
    let info = try #require(gguf.info("token_embd.weight"))
    let table = try EmbeddingTable(info.name, in: gguf)
    let (rows, columns) = (table.rows, table.columns)
    var source = HeadRows(rows: rows, columns: columns) { range, out in
      for row in range {
        try table.load(
          row,
          into: UnsafeMutableBufferPointer(
            start: out + (row - range.lowerBound) * columns, count: columns))
      }
    }
    source.ternary = try TernaryTensors.headRows(info, from: gguf)
    let head = try ExactHead().prepare(source, on: nil)
    guard head.kernel.hasPrefix("exact/trits_f32/") else { return }
    #expect(8 * head.weightBytes < 3 * (rows + 32) * columns)
    var random = SeededRandom(seed: 3)
    for tokens in [1, 3, 4, 14] {
      let x = Matrix<Float>(rows: tokens, columns: columns)
      for index in 0..<x.storage.count { x.storage[index] = Float(random.uniform() - 0.5) }
      let y = Matrix<Float>(rows: tokens, columns: rows)
      withExtendedLifetime((x, y)) {
        for start in stride(from: 0, to: rows, by: 64) {
          head.multiply(x.view, rows: start..<min(start + 64, rows), into: y.mutableView)
        }
      }
      let values = AlignedBuffer<Float>(count: columns)
      for row in [0, 1, 31, 32, rows - 1] {
        try table.load(row, into: values.mutableBuffer)
        for token in 0..<tokens {
          let sum = (0..<columns).reduce(0.0) { $0 + Double(values[$1]) * Double(x[token, $1]) }
          #expect(abs(Double(y[token, row]) - sum) < 1e-5 * Double(columns).squareRoot())
        }
      }
    }
  }

  /// Float files of ternary models are recognised, at the coarsest granularity that is exact.
  @Test(
    .enabled(if: SharedData.isPresent),
    arguments: [
      ("qwen3-group128", 128), ("qwen3-tern256", 256), ("qwen3-binary128", 128),
      ("minicpm-group128", 128),
    ])
  func checkpointsOfFloatsAreTernary(name: String, group: Int) throws {
    let source = try Safetensors.open(directory: try #require(SharedData.path("families/\(name)")))
    var found = 0
    for info in source.tensors where info.shape.count == 2 {
      let values = Matrix<Float>(
        storage: try source.floats(info.name), rows: info.shape[0], columns: info.shape[1])
      let ternary = try #require(TernaryTensors.exact(values), "\(info.name)")
      #expect(
        ternary.granularity == .group(group)
          || info.shape[1] <= group && ternary.granularity == .row, "\(info.name)")
      let back = QuantizedWeights.ternary(ternary).dequantized()
      #expect(back.storage.elements == values.storage.elements)
      found += 1
    }
    #expect(found > 8)
  }

  @Test func granularitiesOfExactTrits() {
    func matrix(_ rows: Int, _ columns: Int, _ value: (Int, Int) -> Float) -> Matrix<Float> {
      let result = Matrix<Float>(rows: rows, columns: columns)
      for row in 0..<rows { for column in 0..<columns { result[row, column] = value(row, column) } }
      return result
    }
    func granularity(_ scale: @escaping (Int, Int) -> Float) -> ScaleGranularity? {
      TernaryTensors.exact(matrix(6, 512) { Float(($0 + $1) % 3 - 1) * scale($0, $1) })?.granularity
    }
    #expect(granularity { _, _ in 0.25 } == .tensor)
    // TriLM: shards of rows.
    #expect(granularity { row, _ in row < 3 ? 0.25 : 0.5 } == .row)
    #expect(granularity { row, column in Float(1 + row + column / 256) } == .group(256))
    #expect(granularity { row, column in Float(1 + row + column / 128) } == .group(128))
    #expect(granularity { row, column in Float(1 + row + column / 64) } == .group(64))
    #expect(granularity { row, column in Float(1 + row + column / 32) } == nil)
    #expect(granularity { _, _ in 0 } == nil)
    #expect(granularity { row, column in row == 5 && column == 500 ? .nan : 1 } == nil)
    // Signs alone, and a row of zeros, whose scale is 0.
    let signs = TernaryTensors.exact(matrix(2, 128) { $0 == 1 ? 0 : $1 % 2 == 0 ? 0.5 : -0.5 })
    #expect(signs?.granularity == .tensor && signs?.scales == [0.5])
    let rows = TernaryTensors.exact(
      matrix(3, 128) { $0 == 1 ? 0 : $1 % 2 == 0 ? Float($0 + 1) : 0 })
    #expect(rows?.granularity == .row && rows?.scales == [1, 0, 3])
  }

  /// Neighbouring groups of equal scales are one: a checkpoint of groups of 128 in a container of 64.
  @Test func equalNeighboursBecomeWiderGroups() throws {
    let trits = AlignedBuffer<Int8>((0..<2 * 512).map { Int8($0 % 3) - 1 })
    func packed(_ scales: [Float], _ granularity: ScaleGranularity) throws -> ScaleGranularity {
      try Q2Packing().pack(
        .ternary(
          TernaryMatrix(
            rows: 2, columns: 512, trits: trits, scales: scales, granularity: granularity))
      ).collapsed.granularity
    }
    #expect(try packed([1], .tensor) == .tensor)
    #expect(try packed([1, 2], .row) == .row)
    #expect(try packed([1, 2, 3, 4], .group(256)) == .group(256))
    #expect(try packed([1, 2, 3, 4, 5, 6, 7, 8], .group(128)) == .group(128))
    #expect(try packed((1...16).map { Float($0) }, .group(64)) == .group(64))
  }

  /// I2_S of another layout is read where the caller says so: trits and embedding rows.
  @Test(arguments: [I2SLayout.blocks128, .arm64, .rows4])
  func i2sLayoutsAreRead(layout: I2SLayout) throws {
    let (rows, columns) = (8, 256)
    let trits: [Int8] = (0..<rows * columns).map { Int8(($0 * $0 / 7 + $0) % 3) - 1 }
    var codes = [UInt8](repeating: 0, count: rows * columns / 4)
    for (index, trit) in trits.enumerated() {
      let (row, column) = (index / columns, index % columns)
      let byte: Int
      let shift: Int
      switch layout {
      case .blocks128: (byte, shift) = (index / 128 * 32 + index % 32, 6 - index % 128 / 32 * 2)
      case .arm64: (byte, shift) = (index / 64 * 16 + index % 16, 6 - index % 64 / 16 * 2)
      case .rows4: (byte, shift) = (row / 4 * columns + column, 6 - row % 4 * 2)
      }
      codes[byte] |= UInt8(trit + 1) << UInt8(shift)
    }
    let scale = withUnsafeBytes(of: Float(0.5).bitPattern.littleEndian) { Array($0) }
    let folder = try TemporaryFolder("layouts")
    var writer = GGUFWriter()
    writer.set("general.architecture", .string("llama"))
    writer.add(
      try TensorContent(
        name: "w", type: .i2_s, shape: [rows, columns],
        bytes: codes + scale + [UInt8](repeating: 0, count: 28)))
    let path = folder.file("m.gguf")
    try writer.write(to: path)
    let file = try GGUFFile(path: path, i2sLayout: layout)
    let assumed = try I2SLayout.$assumed.withValue(layout) { try GGUFFile(path: path) }
    #expect(assumed.i2sLayout == layout)
    let info = try #require(file.info("w"))
    #expect(try TernaryTensors.matrix(info, from: file).trits.elements == trits)
    if layout != .blocks128 {
      let wrong = try TernaryTensors.matrix(info, from: file, i2sLayout: .blocks128)
      #expect(wrong.trits.elements != trits)
    }
    let table = try EmbeddingTable("w", in: file)
    let row = AlignedBuffer<Float>(count: columns)
    try table.load(5, into: row.mutableBuffer)
    #expect(row.elements == trits[5 * columns..<6 * columns].map { Float($0) * 0.5 })
  }
}

extension AlignedBuffer {
  /// All elements.
  fileprivate var elements: [Element] { withExtendedLifetime(self) { Array(buffer) } }
}
