import Testing
import TritLab
import _TritTestSupport

/// Which roof a run is held against is a fact of what runs, not of what the quantizer is called.
@Suite struct RoofTests {
  private let checkpoint: Checkpoint
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder("roof")
    checkpoint = try Checkpoint(path: TinyCheckpoint.write(.bitnetPacked, in: folder))
  }

  private func engine(_ selection: StageSelection) throws -> Engine {
    try Engine(
      checkpoint: checkpoint, selection: selection,
      options: EngineOptions(threads: 1, maxContext: 16))
  }

  /// int8 peak 100, float32 peak 10 operations a second.
  private func roof(_ engine: Engine) throws -> SpeedRoof {
    try #require(SpeedRoof.products(of: engine.layers) { $0 == .int8 ? 100 : 10 })
  }

  /// All multiply-adds of the linear layers, twice their weights.
  private func operations(_ engine: Engine) -> Double {
    engine.layers.reduce(0) { $0 + 2 * Double($1.rows * $1.columns) }
  }

  @Test(arguments: [
    ("i2_s", "int8", ProductArithmetic.int8), ("tl2", "int8", .int8), ("reference", "int4", .int8),
    ("auto", "int8-clipped", .int8),
    // Codes that live in a rotated basis: what is multiplied are floats.
    ("auto", "hadamard-int4", .float32), ("dequantize", "hadamard-int4", .float32),
    ("auto", "none", .float32), ("openblas", "none", .float32), ("reference-f32", "none", .float32),
    // int8 rows that are widened before they are multiplied.
    ("dequantize", "int8", .float32), ("dequantize", "int4", .float32),
  ])
  func theArithmeticThatRunsIsTheRoof(
    kernel: String, activations: String, arithmetic: ProductArithmetic
  ) throws {
    let engine = try engine(
      StageSelection(activations: StageChoice(activations), kernel: StageChoice(kernel)))
    #expect(engine.layers.allSatisfy { $0.arithmetic == arithmetic })
    let roof = try roof(engine)
    #expect(roof.kind == .products(arithmetic))
    #expect(roof.name == (arithmetic == .int8 ? "int8 peak" : "float32 peak"))
    #expect(roof.perToken == operations(engine))
    #expect(roof.perSecond == (arithmetic == .int8 ? 100 : 10))
  }

  /// Some layers of each: the times add up, so that peaks count harmonically.
  @Test func layersOfBothArithmetics() throws {
    let engine = try engine(
      StageSelection(
        kernel: StageChoice("i2_s"),
        layers: [LayerOverride(pattern: "blk.0.*", activations: StageChoice("hadamard-int4"))]))
    let float = engine.layers.filter { $0.name.hasPrefix("blk.0.") }
    #expect(float.allSatisfy { $0.arithmetic == .float32 && $0.activationForm == .float32 })
    let roof = try roof(engine)
    #expect(roof.kind == .mixedProducts)
    // Two equal blocks: half at 100, half at 10.
    let all = operations(engine)
    #expect(abs(roof.rate * (all / 2 / 100 + all / 2 / 10) - 1) < 1e-12)
    #expect(SpeedRoof.products(of: engine.layers) { $0 == .int8 ? 100 : nil } == nil)
  }

  /// Trits times rotated rows are float additions; times int8 rows, integer ones; a dense baseline
  /// multiplies.
  @Test func operationsAreThoseOfTheFormThatReachesTheKernel() throws {
    func linear(_ kernel: String, _ activations: String) throws -> OperationCount {
      let engine = try engine(
        StageSelection(activations: StageChoice(activations), kernel: StageChoice(kernel)))
      let operations = TokenOperations(
        engine.plan, layers: engine.layers, context: 4)
      return try #require(operations.parts[.linear])
    }
    let integer = try linear("i2_s", "int8")
    #expect(Set(integer.additions.keys) == [.int8])
    #expect(try linear("dequantize", "int8") == integer)
    let rotated = try linear("auto", "hadamard-int4")
    #expect(Set(rotated.additions.keys) == [.fp16])
    #expect(try linear("auto", "none") == rotated)
    let baseline = try linear("openblas", "none")
    #expect(baseline.totalMultiplications > 100 * rotated.totalMultiplications / 10)
    #expect(Set(baseline.additions.keys) == [.fp16])
  }

  /// A trial is of what a layer is given: form of activations, kind of weights.
  @Test func trialsTakeTheFormOfTheLayer() throws {
    let kernels = Registry<any LinearKernel>.standard
    let shape = WeightShape(64, 128)
    for (name, form, kind, arithmetic) in [
      ("dequantize", ActivationForm.int8, QuantizedWeights.Kind.ternary, ProductArithmetic.float32),
      ("dequantize", .float32, .dense, .float32), ("dequantize", .int8, .dense, .float32),
      ("auto", .float32, .ternary, .float32), ("auto", .int8, .integer(bits: 4), .int8),
      ("int4", .int8, .integer(bits: 4), .int8), ("i2_s", .int8, .ternary, .int8),
    ] {
      let trial = try KernelTrial(
        kernels.make(StageChoice(name)), shape: shape, kind: kind, form: form)
      #expect(trial.accepts == form && trial.arithmetic == arithmetic, "\(name)")
      #expect(try trial.residual(tokens: 5).relative < 1e-5, "\(name), \(form), \(kind)")
    }
    #expect(throws: LabError.self) {
      try KernelTrial(kernels.make(StageChoice("i2_s")), shape: shape, form: .float32)
    }
  }
}
