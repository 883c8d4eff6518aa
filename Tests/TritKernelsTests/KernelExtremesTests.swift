import Testing
import TritLab

@Suite struct KernelExtremesTests {
  /// All weights +1, all activations 127, in rows as long as the largest models have: each sum is
  /// 127 · K, and partial sums of codes twice that.
  @Test(arguments: [2560, 6912, 27_648])
  func longRowsOfExtremesDoNotOverflow(columns: Int) throws {
    let trits = AlignedBuffer([Int8](repeating: 1, count: 32 * columns))
    let weights = QuantizedWeights.ternary(
      TernaryMatrix(rows: 32, columns: columns, trits: trits, scales: [0.5]))
    let x = QuantizedRows(capacity: 2, columns: columns)
    x.begin(rows: 2, form: .int8)
    for (row, value) in [Int8(127), -128].enumerated() {
      for column in 0..<columns { x.row(row)[column] = value }
      x.scales[row] = 1 / 127
      x.sums[row] = Int32(value) * Int32(columns)
    }
    for (name, kernel) in Registry<any LinearKernel>.standard.available()
    where kernel.accepts == .int8 {
      let prepared = try kernel.prepare(weights)
      let sums = Matrix<Int32>(rows: 2, columns: 32)
      if let layout = prepared.inputLayout { _ = x.built(layout) }
      guard prepared.accumulate(x, rows: 0..<32, into: sums.mutableView) else { continue }
      for row in 0..<32 {
        #expect(sums[0, row] == 127 * Int32(columns), "\(name)")
        #expect(sums[1, row] == -128 * Int32(columns), "\(name)")
      }
    }
  }

  /// Zero activations must give zero, not NaN (a table of upstream divides by their maximum).
  @Test func zeroActivationsGiveZero() throws {
    let weights = QuantizedWeights.ternary(
      TernaryMatrix(
        rows: 32, columns: 96, trits: AlignedBuffer([Int8](repeating: -1, count: 32 * 96)),
        scales: [3]))
    let x = QuantizedRows(capacity: 1, columns: 96)
    x.begin(rows: 1, form: .int8)
    x.scales[0] = 1e-5 / 127
    let forms = LookupForm.allCases.filter(\.features.missingHere.isEmpty)
    for kernel in forms.map({ TL2Kernel($0) }) + [TL2Kernel(.scalar, isLossy: true)] {
      let prepared = try kernel.prepare(weights)
      let y = Matrix<Float>(rows: 1, columns: 32)
      prepared.multiply(x, into: y.mutableView)
      #expect((0..<32).allSatisfy { y[0, $0] == 0 })
    }
  }

  /// The bound is tight enough to mean something, and a kernel outside it is caught.
  @Test func theCheckerFindsWrongKernels() {
    struct Wrong: LinearKernel {
      let name = "wrong"
      let accepts = ActivationForm.int8
      func prepare(_ weights: QuantizedWeights) throws -> any PreparedLinear {
        // Off by one in the last column.
        guard case .ternary(let matrix) = weights else {
          throw LabError(.usage, "kernel 'wrong' takes ternary weights")
        }
        let trits = AlignedBuffer(matrix.trits.buffer)
        trits[trits.count - 1] = trits[trits.count - 1] == 1 ? 0 : 1
        return try ReferenceKernel().prepare(
          .ternary(
            TernaryMatrix(
              rows: matrix.rows, columns: matrix.columns, trits: trits, scales: matrix.scales,
              granularity: matrix.granularity)))
      }
    }
    let violations = checkLinearKernel(Wrong(), shapes: [WeightShape(3, 31)], tokens: [1, 2])
    #expect(violations.contains { $0.law.contains("int32 sums") })
    #expect(violations.contains { $0.law.contains("outputs are the oracle's") })
    let refuses = checkLinearKernel(TL1Kernel(.scalar), shapes: [WeightShape(3, 31)], tokens: [1])
    #expect(refuses.map(\.law) == ["a kernel takes some weights"])
  }
}
