import Testing
import TritLab

@Suite struct KernelErrorTests {
  private let integers = QuantizedWeights.integer(
    IntegerMatrix(
      rows: 32, columns: 32, bits: 4, values: AlignedBuffer(count: 1024), scales: [1],
      granularity: .tensor))

  private func failure(_ body: () throws -> Void) -> LabError? {
    do {
      try body()
      return nil
    } catch {
      return error as? LabError
    }
  }

  @Test func ternaryKernelsRefuseIntegers() {
    for name in ["i2_s/scalar", "tl1/scalar", "tl2/scalar", "base3/scalar", "tq1_0/scalar"] {
      let error = failure {
        let kernel = try Registry<any LinearKernel>.standard.make(StageChoice(name))
        _ = try kernel.prepare(integers)
      }
      #expect(
        error?.what
          == "kernel '\(name)' takes ternary weights; these are 4-bit integers (scale per tensor)")
      #expect(error?.advice?.contains("absmean") == true)
    }
  }

  @Test func anIllegalPairNamesBothSides() {
    let error = LabError.illegalPair(
      "kernel", "i2_s", takes: "ternary weights", form: "4-bit integers", quantizer: "int4",
      advice: "use kernel 'dequantize'")
    #expect(
      error.what == "kernel 'i2_s' takes ternary weights; quantizer 'int4' gives 4-bit integers")
    #expect(error.kind == .usage)
  }

  @Test func integerKernelsRefuseFloats() {
    let error = failure {
      _ = try ReferenceKernel().prepare(.dense(Matrix<Float>(rows: 2, columns: 2)))
    }
    #expect(
      error?.what
        == "kernel 'reference' takes ternary or integer weights; these are float32 weights")
    #expect(error?.advice?.contains("openblas") == true)
  }

  @Test func shapesThatTilesDoNotFillSayWhy() {
    let trits = AlignedBuffer<Int8>(count: 33 * 100)
    let weights = QuantizedWeights.ternary(
      TernaryMatrix(rows: 33, columns: 100, trits: trits, scales: [1]))
    for kernel in [TL1Kernel(.scalar), TL1Kernel(.scalar, isLossy: true)] {
      let error = failure { _ = try kernel.prepare(weights) }
      #expect(error?.place == "kernel '\(kernel.name)'")
      #expect(error?.what.contains("33 × 100") == true)
      #expect(error?.expected?.contains("multiples of 32") == true)
    }
    #expect(
      failure { _ = try TL2Kernel(.scalar).prepare(weights) }?.expected?.contains("24") == true)
    let error = failure {
      try I2SPacking().check(rows: 4, columns: 100, granularity: .tensor)
    }
    #expect(error?.what.contains("multiples of 128") == true)
    #expect(error?.got == "100 columns")
  }

  @Test func hostileShapesAreErrors() {
    for packing in Registry<any Packing>.standard.available().map(\.product) {
      for (rows, columns) in [
        (0, 128), (128, 0), (-1, 128), (Int.max, Int.max), (1 << 40, 1 << 40),
      ] {
        let error = failure {
          _ = try packing.read(
            UnsafeRawBufferPointer(start: nil, count: 0), rows: rows, columns: columns, scales: nil)
        }
        #expect(error?.kind == .badData, "\(packing.name) \(rows) × \(columns)")
      }
    }
  }

  @Test func valuesOutsideTheFormAreErrors() {
    let wrong = QuantizedWeights.ternary(
      TernaryMatrix(
        rows: 1, columns: 128, trits: AlignedBuffer((0..<128).map { Int8($0 == 77 ? 2 : 0) }),
        scales: [1]))
    let error = failure { _ = try I2SPacking().pack(wrong) }
    #expect(error?.place == "row 0, column 77" && error?.got == "2")
    #expect(failure { _ = try I2SScalarKernel().prepare(wrong) }?.place == "row 0, column 77")
    let unscaled = QuantizedWeights.ternary(
      TernaryMatrix(rows: 1, columns: 128, trits: AlignedBuffer(count: 128), scales: [.nan]))
    #expect(failure { _ = try I2SPacking().pack(unscaled) }?.what.contains("scale 0") == true)
    let large = QuantizedWeights.ternary(
      TernaryMatrix(rows: 1, columns: 256, trits: AlignedBuffer(count: 256), scales: [1e6]))
    #expect(failure { _ = try TQ2Packing().pack(large) }?.what.contains("float16") == true)
  }
}
