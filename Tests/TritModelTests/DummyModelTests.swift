import Testing
import TritLab
import _TritTestSupport

@Suite("Dummy models") struct DummyModelTests {
  /// Small shapes with what the presets have: sub-norms or not, tied or not, a width that I2_S
  /// cannot hold.
  static let bitnet = DummyPreset(
    "small", "bitnet-b1.58", 2, (256, 384), (4, 2, 64), 320, 64, 10_000, 1e-5, tied: true, (1, 2))
  static let llama = DummyPreset(
    "small", "llama", 2, (256, 384), (4, 2, 64), 320, 64, 10_000, 1e-6, tied: false, (11, 11))
  static let odd = DummyPreset(
    "small", "bitnet", 1, (128, 320), (2, 2, 64), 320, 64, 10_000, 1e-5, tied: true, (1, 2))

  /// Norms of queries and keys, a scale for every 128 columns, heads wider than hidden / heads.
  static let grouped = DummyPreset(
    "small", "qwen3", 2, (256, 384), (4, 2, 128), 320, 64, 1_000_000, 1e-6, tied: true, (1, 2),
    .pq2_0)

  @Test(
    "a dummy loads, runs, and counts the weights of its shapes",
    arguments: [bitnet, llama, odd, oddest, grouped])
  func runs(preset: DummyPreset) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/dummy.gguf"
    try DummyModel(preset).write(to: path)
    let checkpoint = try Checkpoint(path: path)
    let engine = try Engine(checkpoint: checkpoint, options: EngineOptions(threads: 1))
    #expect(engine.layers.count == 7 * preset.layers)
    #expect(engine.layers.allSatisfy { $0.form.hasPrefix("ternary") })
    #expect(
      engine.layers.reduce(0) { $0 + $1.rows * $1.columns }
        == preset.layers * preset.ternaryPerLayer)
    let tokens = try engine.tokenizer.encode("hello", addSpecial: true, parseSpecial: false)
    #expect(tokens.count == (preset.bosToken == preset.eosToken ? 5 : 6))
    let logits = try engine.prefill(tokens)
    let values = Array(logits)
    #expect(values.allSatisfy { $0.isFinite })
    #expect(Set(values).count > 10)
  }

  /// A shape that neither I2_S nor TL2 holds.
  static let oddest = DummyPreset(
    "small", "bitnet", 1, (120, 184), (2, 2, 60), 320, 64, 10_000, 1e-5, tied: true, (1, 2))

  @Test("trits that I2_S cannot hold are TL2, or floats where TL2 cannot hold them either")
  func containers() throws {
    let folder = try TemporaryFolder()
    for (preset, type) in [
      (Self.bitnet, TensorType.i2_s), (Self.odd, .tl2), (Self.oddest, .f16), (Self.grouped, .pq2_0),
    ] {
      let path = folder.path + "/dummy.gguf"
      try DummyModel(preset).write(to: path)
      let checkpoint = try Checkpoint(path: path)
      #expect(checkpoint.source.info("blk.0.ffn_down.weight")?.type == type)
      guard case .ternary(let matrix) = try checkpoint.linear(.down, layer: 0).weights else {
        Issue.record("not ternary: \(type)")
        continue
      }
      let zeros = matrix.trits.buffer.count { $0 == 0 }
      #expect(abs(Double(zeros) / Double(matrix.trits.count) - 1.0 / 3) < 0.03)
    }
  }

  @Test("scales of groups differ by up to a half, and embedding and head are ternary too")
  func groups() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("dummy.gguf")
    try DummyModel(Self.grouped).write(to: path)
    let checkpoint = try Checkpoint(path: path)
    guard case .ternary(let matrix) = try checkpoint.linear(.up, layer: 1).weights else {
      Issue.record("not ternary")
      return
    }
    #expect(matrix.granularity == .group(128))
    // √(3/2 / columns) · 0.75…1.25, in float16.
    let middle = (1.5 / Float(256)).squareRoot()
    #expect(matrix.scales.allSatisfy { $0 / middle > 0.749 && $0 / middle < 1.251 })
    #expect(Set(matrix.scales).count > 100)
    #expect(matrix.trits.buffer.allSatisfy { (-1...1).contains($0) })
    #expect(checkpoint.source.info("token_embd.weight")?.type == .pq2_0)
    let engine = try Engine(checkpoint: checkpoint, options: EngineOptions(threads: 1))
    // On a CPU without vectors the rows are floats.
    let head = engine.headReport.kernel
    #expect(head.hasPrefix("exact/trits_f32") || head == "exact/f32", "\(head)")
  }

  @Test("a file with fewer layers says of how many it is, and only then")
  func fullLayers() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("dummy.gguf")
    try DummyModel(Self.bitnet).write(to: path)
    #expect(try Checkpoint(path: path).fullLayers == nil)
    try DummyModel(Self.bitnet, layers: 1).write(to: path)
    #expect(try Checkpoint(path: path).fullLayers == 2)
  }

  @Test("codes are trits in equal parts")
  func frequencies() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/dummy.gguf"
    try DummyModel(Self.bitnet).write(to: path)
    guard case .ternary(let matrix) = try Checkpoint(path: path).linear(.gate, layer: 1).weights
    else {
      Issue.record("not ternary")
      return
    }
    for trit in [Int8(-1), 0, 1] {
      let share = Double(matrix.trits.buffer.count { $0 == trit }) / Double(matrix.trits.count)
      // 98,304 trits: five standard deviations are 0.0075.
      #expect(abs(share - 1.0 / 3) < 0.02, "\(trit): \(share)")
    }
  }

  @Test("a seed decides every byte; embeddings may be Q6_K")
  func seeds() throws {
    let folder = try TemporaryFolder()
    func bytes(_ name: String, seed: UInt64, _ type: TensorType = .f16) throws -> [UInt8] {
      try DummyModel(Self.bitnet, layers: 1, embedding: type, seed: seed)
        .write(to: folder.path + "/" + name)
      let file = try MappedFile(folder.path + "/" + name)
      return withExtendedLifetime(file) { Array(file.bytes) }
    }
    let first = try bytes("a", seed: 1)
    #expect(try bytes("b", seed: 1) == first)
    #expect(try bytes("c", seed: 2) != first)
    _ = try bytes("d.gguf", seed: 1, .q6_k)
    let checkpoint = try Checkpoint(path: folder.path + "/d.gguf")
    let engine = try Engine(checkpoint: checkpoint, options: EngineOptions(threads: 1))
    let logits = Array(try engine.prefill([1, 2, 3]))
    #expect(logits.allSatisfy { $0.isFinite })
  }

  @Test("what cannot be written is refused with a reason")
  func refusals() throws {
    let path = try TemporaryFolder().path + "/dummy.gguf"
    #expect(throws: LabError.self) { try DummyModel(Self.odd, embedding: .q6_k).write(to: path) }
    #expect(throws: LabError.self) { try DummyModel(Self.bitnet, embedding: .i2_s).write(to: path) }
    #expect(throws: LabError.self) { try DummyModel(Self.bitnet, layers: 0).write(to: path) }
    #expect(throws: LabError.self) { try DummyPreset.named("2B") }
  }
}
