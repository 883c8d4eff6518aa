import Testing
import TritLab

/// Ternary weights with a scale for each group of columns.
@Suite struct GroupKernelTests {
  static let kernels = I2SKernel.InstructionSet.allCases.map(I2SKernel.init)
    .filter { $0.instructionSet.features.missingHere.isEmpty }

  private func matrix(
    _ rows: Int, _ columns: Int, group: Int, scale: (_ row: Int, _ group: Int) -> Float
  ) -> TernaryMatrix {
    var random = SeededRandom(seed: UInt64(rows + columns))
    let trits = AlignedBuffer<Int8>(count: rows * columns)
    for index in 0..<trits.count { trits[index] = Int8(random.below(3)) - 1 }
    let groups = (columns + group - 1) / group
    return TernaryMatrix(
      rows: rows, columns: columns, trits: trits,
      scales: (0..<rows * groups).map { scale($0 / groups, $0 % groups) },
      granularity: .group(group))
  }

  private func activations(_ tokens: Int, _ columns: Int) -> QuantizedRows {
    var random = SeededRandom(seed: 9)
    let x = QuantizedRows(capacity: tokens, columns: columns)
    x.begin(rows: tokens, form: .int8)
    for token in 0..<tokens {
      var sum: Int32 = 0
      for column in 0..<columns {
        let value = token == 0 ? 127 : token == 1 ? -128 : random.below(256) - 128
        x.row(token)[column] = Int8(value)
        sum += Int32(value)
      }
      x.sums[token] = sum
      x.scales[token] = 1
    }
    return x
  }

  /// The int32 sum of every group is the formula's, bit for bit: with a scale of 1 for one group and
  /// 0 for the others the output is that sum, exact in float32.
  @Test(arguments: [64, 128], [1, 3, 4, 12, 25])
  func sumsOfAGroupAreExact(group: Int, tokens: Int) throws {
    let (rows, columns) = (70, 448)
    let x = activations(tokens, columns)
    for kernel in Self.kernels {
      for wanted in 0..<(columns + group - 1) / group {
        let weights = matrix(rows, columns, group: group) { $1 == wanted ? 1 : 0 }
        let layer = try kernel.prepare(.ternary(weights))
        let y = Matrix<Float>(rows: tokens, columns: rows)
        layer.multiply(x, into: y.mutableView)
        for token in 0..<tokens {
          for row in 0..<rows {
            var sum: Int32 = 0
            for k in wanted * group..<min((wanted + 1) * group, columns) {
              sum += Int32(weights.trits[row * columns + k]) * Int32(x.row(token)[k])
            }
            #expect(y[token, row] == Float(sum), "\(kernel.name) group \(wanted)")
          }
        }
      }
    }
  }

  /// Scales that float16 does not hold are kept in float32: outputs are as near the formula's.
  @Test func scalesAreExact() throws {
    let (rows, columns) = (33, 512)
    let x = activations(5, columns)
    for fits in [true, false] {
      let weights = matrix(rows, columns, group: 128) {
        let scale = Float($0 + 3 * $1 + 1) / 1024
        return fits ? scale : scale + 0x1p-20
      }
      let exact = try ReferenceKernel().prepare(.ternary(weights))
      let expected = Matrix<Float>(rows: 5, columns: rows)
      exact.multiply(x, into: expected.mutableView)
      for kernel in Self.kernels {
        let layer = try kernel.prepare(.ternary(weights))
        #expect(layer.weightBytes == 2 * (32 * 128 + 4 * (fits ? 64 : 128)))
        let y = Matrix<Float>(rows: 5, columns: rows)
        layer.multiply(x, into: y.mutableView)
        for index in 0..<5 * rows {
          let (got, right) = (y.storage[index], expected.storage[index])
          #expect(abs(got - right) <= 1e-5 * max(1, abs(right)), "\(kernel.name)")
        }
      }
    }
  }

  @Test func groupsOfOtherSizesAreRefused() throws {
    guard let kernel = Self.kernels.first else { return }
    let error = #expect(throws: LabError.self) {
      try kernel.prepare(.ternary(self.matrix(32, 96, group: 24) { _, _ in 1 }))
    }
    #expect(error?.what.contains("groups of a multiple of 16") == true)
  }

  /// `auto` takes a kernel of two bits for grouped trits, not one of eight, and one of theirs for
  /// float32 activations.
  @Test func autoKeepsTwoBits() throws {
    let auto = try Registry<any LinearKernel>.standard.make(StageChoice("auto"))
    let weights = QuantizedWeights.ternary(
      matrix(512, 1024, group: 64) { Float($0 + $1 + 1) / 512 })
    let bits = { (layer: any PreparedLinear) in 8 * Double(layer.weightBytes) / (512 * 1024) }
    guard !Self.kernels.isEmpty else { return }
    let layer = try auto.prepare(weights, for: .int8)
    #expect(bits(layer) < 3, "\(layer.kernel)")
    let float = try auto.prepare(weights, for: .float32)
    #expect(bits(float) < 3 && float.kernel.hasPrefix("trits_f32/"), "\(float.kernel)")
  }
}
