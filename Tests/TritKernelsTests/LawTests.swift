import Testing
import TritLab

@Suite struct LawTests {
  static let packings = Registry<any Packing>.standard.available()
  static let kernels = Registry<any LinearKernel>.standard.available()

  @Test(arguments: packings.map(\.name)) func packing(name: String) throws {
    let packing = try Registry<any Packing>.standard.make(StageChoice(name))
    #expect(packing.name == name)
    let violations = checkPacking(packing)
    #expect(violations.isEmpty, "\(violations.prefix(5))")
  }

  @Test(arguments: kernels.map(\.name)) func kernel(name: String) throws {
    let kernel = try Registry<any LinearKernel>.standard.make(StageChoice(name))
    #expect(kernel.name == name)
    let violations = checkLinearKernel(kernel)
    #expect(violations.isEmpty, "\(violations.prefix(5))")
  }

  /// A kernel that states a form it does not take, or takes one it does not state, would make plans
  /// and engines disagree.
  @Test func aLiarAboutItsFormsIsFound() {
    struct Liar: LinearKernel {
      let name = "liar"
      let accepts = ActivationForm.int8
      let forms: Set<ActivationForm>
      let taken: Set<ActivationForm>
      func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
        try ReferenceKernel().prepare(weights)
      }
      func prepare(_ weights: QuantizedWeights, for form: ActivationForm) throws
        -> any PreparedLinear
      {
        guard taken.contains(form) else { throw LabError(.usage, "not this form") }
        return form == .int8
          ? try ReferenceKernel().prepare(weights) : try ReferenceFloatKernel().prepare(weights)
      }
    }
    func laws(_ forms: Set<ActivationForm>, _ taken: Set<ActivationForm>) -> Set<String> {
      let shapes = [WeightShape(32, 32)]
      return Set(
        checkLinearKernel(Liar(forms: forms, taken: taken), shapes: shapes, tokens: [1]).map(\.law))
    }
    #expect(laws([.int8], [.int8]).isEmpty)
    #expect(laws([.int8, .float32], [.int8, .float32]).isEmpty)
    let law = "a kernel takes the forms of activations that it states, and no others"
    #expect(laws([.int8, .float32], [.int8]) == [law])
    #expect(laws([.int8], [.int8, .float32]) == [law])
  }

  /// Bytes that are taken for those of another layout give other sums, and a kernel that adopts
  /// what it would not prepare is one that checks nothing.
  @Test func aLiarAboutItsLayoutIsFound() {
    struct Liar: AdoptingKernel {
      let name = "liar"
      let accepts = ActivationForm.int8
      let adopts: String? = "i2_s"
      /// What it does with the bytes.
      let layer: @Sendable (PackedMatrix) throws -> any PreparedLinear
      func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
        try I2SScalarKernel().prepare(weights)
      }
      func adopt(_ packed: PackedMatrix) throws -> any PreparedLinear { try layer(packed) }
    }
    func laws(_ layer: @escaping @Sendable (PackedMatrix) throws -> any PreparedLinear) -> [String]
    {
      checkLinearKernel(Liar(layer: layer), shapes: [WeightShape(32, 256)], tokens: [1]).map(\.law)
    }
    #expect(laws { try I2SScalarKernel().adopt($0) }.isEmpty)
    let swapped = laws { packed in
      let bytes = AlignedBuffer<UInt8>(copying: packed.bytes.rawBuffer)
      bytes[0] = packed.bytes[1]
      bytes[1] = packed.bytes[0]
      return try I2SScalarKernel().adopt(
        PackedMatrix(
          packing: "i2_s", rows: packed.rows, columns: packed.columns, bytes: bytes,
          scales: packed.scales, granularity: packed.granularity))
    }
    #expect(swapped.contains("int32 sums are the oracle's, bit for bit"), "\(swapped)")
    let refused = laws { _ in throw LabError(.usage, "not today") }
    #expect(
      refused.contains("packed bytes are taken if and only if their weights are"), "\(refused)")
  }

  /// Facts of a kernel stand beside it, not in its name: every one that shares a bare name says so,
  /// and the bare name is there.
  @Test func factsAgreeWithNames() throws {
    let registry = Registry<any LinearKernel>.standard
    for descriptor in registry.descriptors {
      let parts = descriptor.name.split(separator: "/").map(String.init)
      #expect(descriptor.kernel?.packing == (parts.count == 2 ? parts[0] : nil))
      if parts.count == 2 {
        #expect(descriptor.kernel?.instructionSet == parts[1])
        #expect(registry.descriptor(parts[0])?.kernel == nil)
        #expect(registry.names.contains(parts[0]))
      }
    }
    let plain = registry.available().filter(\.product.isPlain).map(\.name)
    #expect(
      Set(plain)
        == Set(
          registry.available().map(\.name).filter {
            $0.hasPrefix("reference") || $0.hasSuffix("/scalar")
          }))
  }
}
