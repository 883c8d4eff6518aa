import Testing
import TritLab

@Suite struct ActivationQuantizerTests {
  private static let registry = Registry<any ActivationQuantizer>.standard
  static let names = registry.names

  private func run(_ choice: String, _ rows: [[Float]]) throws -> QuantizedRows {
    let x = Matrix<Float>(rows: rows.count, columns: rows[0].count, rows.flatMap { $0 })
    let output = QuantizedRows(capacity: rows.count, columns: rows[0].count)
    let quantizer = try Self.registry.make(StageChoice(parsing: choice))
    withExtendedLifetime(x) { quantizer.quantize(x.view, into: output) }
    return output
  }

  private func codes(_ output: QuantizedRows, row: Int = 0) -> [Int8] {
    Array(UnsafeBufferPointer(start: output.row(row), count: output.columns))
  }

  @Test(arguments: names) func lawsHold(name: String) throws {
    let quantizer = try Self.registry.make(StageChoice(name))
    #expect(quantizer.name == name)
    #expect(checkActivationQuantizer(quantizer).isEmpty)
  }

  @Test(arguments: [
    "hadamard-int4:block=1", "hadamard-int4:scale=absmax", "hadamard-int4:block=64,bits=8",
    "int8-clipped:percentile=90",
    "int8-clipped:percentile=100",
  ])
  func lawsHoldWithParameters(choice: String) throws {
    let quantizer = try Self.registry.make(StageChoice(parsing: choice))
    #expect(checkActivationQuantizer(quantizer, seed: 3).isEmpty)
  }

  @Test func theCheckerFindsAQuantizerThatLies() {
    struct Forgetful: ActivationQuantizer {
      let name = "forgetful"
      let form = ActivationForm.int8
      func quantize(_ x: MatrixView<Float>, rows: Range<Int>, into output: QuantizedRows) {
        for row in rows {
          for column in 0..<x.columns { output.row(row)[column] = x[row, column] > 0 ? 1 : 0 }
          output.scales[row] = 1
        }
      }
    }
    let laws = Set(checkActivationQuantizer(Forgetful()).map(\.law))
    #expect(laws.contains("padding is zero"))
    #expect(laws.contains("sums are the sums of the values"))
    #expect(laws.contains("NaN and infinity stay visible"))
  }

  /// bitnet.cpp's worked case. In float32, in this order: s = 127/1.27 = 100 after rounding, then
  /// 0.335·100 = 33.5 after rounding, a tie that goes to the even 34.
  @Test func int8WorkedExample() throws {
    let output = try run("int8", [[0.50, -1.27, 0.335, 0]])
    #expect(127 / Float(1.27) == 100 && Float(0.335) * 100 == 33.5)
    #expect(codes(output) == [50, -127, 34, 0])
    #expect(output.sums[0] == -43)
    #expect(output.scales[0] == Float(1.27) / 127)
  }

  @Test func int8TiesGoToEvenAndMinusMaxIsMinus127() throws {
    let output = try run("int8", [[127, -127, 0.5, 1.5, 2.5, -0.5, -1.5], [0, 0, 0, 0, 0, 0, 0]])
    #expect(codes(output) == [127, -127, 0, 2, 2, 0, -2])
    #expect(codes(output, row: 1) == [0, 0, 0, 0, 0, 0, 0])
    #expect(output.scales[1] == Float(1e-5) / 127 && output.sums[1] == 0)
  }

  @Test func int4HasSevenLevelsEachSide() throws {
    let output = try run("int4", [[7, -7, 2.5, 3.5, 0.4]])
    #expect(codes(output) == [7, -7, 2, 4, 0])
    #expect(output.scales[0] == 1)
  }

  @Test func int4AbsmeanClips() throws {
    // β = 2, √7/2 = 1.3229: 1 → 1.32 → 1; −10 → −13.2 → −8; the last four are 0.
    let output = try run("int4-absmean", [[1, -10, 1, 4, 0, 0, 0, 0]])
    #expect(codes(output) == [1, -8, 1, 5, 0, 0, 0, 0])
    #expect(abs(output.scales[0] - 2 / Float(7).squareRoot()) < 1e-6)
  }

  @Test func clippedTakesThePercentile() throws {
    // 10 values; the 90th percentile is the 9th smallest magnitude, 1.27; 100 is clipped to 127 ·
    // 0.01.
    let row: [Float] = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, -1.27, 100]
    let output = try run("int8-clipped:percentile=90", [row])
    #expect(output.scales[0] == Float(1.27) / 127)
    #expect(codes(output) == [0, 10, 20, 30, 40, 50, 60, 70, -127, 127])
    #expect(codes(try run("int8-clipped:percentile=100", [row])) == codes(try run("int8", [row])))
    // 99.9 % of 256 values are all of them; the largest is clipped all the same.
    let wide = (0..<256).map { $0 == 7 ? Float(50) : Float($0 % 100) / 100 }
    let clipped = try run("int8-clipped", [wide])
    #expect(clipped.scales[0] == Float(0.99) / 127 && codes(clipped)[7] == 127)
    #expect(codes(clipped) != codes(try run("int8", [wide])))
    #expect(codes(try run("int8-clipped", [[3]])) == [127])
    // Mostly zeros: the percentile is 0, and the largest magnitude takes its place.
    #expect(codes(try run("int8-clipped:percentile=50", [[0, 0, 0, 0, 3]])) == [0, 0, 0, 0, 127])
  }

  @Test func hadamardSpreadsAnOutlier() throws {
    // Alone in its block of 4, an outlier becomes ±a/2 everywhere, which 4 bits hold exactly.
    let alone = try run("hadamard-int4:block=4,scale=absmax", [[0, 0, 8, 0]]).dequantized()
    #expect(
      [Float](arrayLiteral: 0, 0, 8, 0).enumerated().allSatisfy {
        abs(alone[0, $0.offset] - $0.element) < 1e-5
      })
    // Beside an outlier, int4 loses small values altogether; rotation keeps the signal of blocks
    // that the outlier does not touch no better, but its own block keeps more.
    var random = SeededRandom(seed: 2)
    var row = (0..<256).map { _ in Float(random.uniform() * 2 - 1) }
    row[100] = 30
    func error(_ choice: String) throws -> Float {
      let values = try run(choice, [row]).dequantized()
      return row.indices.filter { $0 != 100 }.reduce(0) {
        let difference = values[0, $1] - row[$1]
        return $0 + difference * difference
      }
    }
    #expect(try error("hadamard-int4") < 0.5 * error("int4"))
  }

  /// BitNet v2: 4 bits are scaled by the mean magnitude, 8 by the largest.
  @Test func hadamardScalesAsThePaper() throws {
    // Blocks of 1 rotate nothing. β = 2: codes as in `int4AbsmeanClips`.
    let values = try run("hadamard-int4:block=1", [[1, -10, 1, 4, 0, 0, 0, 0]]).dequantized()
    let step = 2 / Float(7).squareRoot()
    for (index, code) in [Float](arrayLiteral: 1, -8, 1, 5, 0, 0, 0, 0).enumerated() {
      #expect(abs(values[0, index] - code * step) < 1e-6, "\(index)")
    }
    let row: [Float] = [1, -10, 1, 4, 0, 0, 0, 0]
    func rounded(_ choice: String) throws -> [Float] {
      let values = try run(choice, [row]).dequantized()
      return row.indices.map { values[0, $0] }
    }
    #expect(
      try rounded("hadamard-int4:bits=8") == rounded("hadamard-int4:bits=8,scale=absmax"))
    #expect(try rounded("hadamard-int4") == rounded("hadamard-int4:scale=absmean"))
    #expect(try rounded("hadamard-int4") != rounded("hadamard-int4:scale=absmax"))
  }

  @Test func hadamardAtEightBitsIsNearlyExact() throws {
    var random = SeededRandom(seed: 4)
    let row = (0..<300).map { _ in Float(random.uniform() * 2 - 1) }
    let values = try run("hadamard-int4:bits=8", [row]).dequantized()
    // Rounding in the rotated basis: at most half of max|x'|/127 in each of 256 directions.
    #expect(row.indices.allSatisfy { abs(values[0, $0] - row[$0]) < 0.05 })
  }

  @Test func aBlockThatIsNoPowerOfTwoIsAnError() {
    #expect {
      try Self.registry.make(StageChoice(parsing: "hadamard-int4:block=96"))
    } throws: { ($0 as? LabError)?.got == "96" }
  }

  @Test func noneCopies() throws {
    let output = try run("none", [[1, -2, 3.5]])
    #expect(output.form == .float32)
    #expect((0..<3).map { output.floats[$0] } == [1, -2, 3.5])
  }
}
