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

  /// A kernel that states a form it does not take, or takes one it does not state, would make plans and engines disagree.
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

  /// Facts of a kernel stand beside it, not in its name: every one that shares a bare name says so, and the bare
  /// name is there.
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
