import Testing
import TritLab

#if canImport(Glibc)
  import Glibc
#endif

/// Share of zeros and relative squared error of each quantizer on Gaussian weights: known figures.
@Suite struct GaussianTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let quantizer: String
    let zeros: Double
    let error: Double
    var testDescription: String { quantizer }
  }

  static let table = [
    Row(quantizer: "absmean", zeros: 0.310, error: 0.2635),
    Row(quantizer: "absmean-ls", zeros: 0.310, error: 0.2131),
    Row(quantizer: "absmedian", zeros: 0.264, error: 0.318),
    Row(quantizer: "sign", zeros: 0, error: 0.3636),
    Row(quantizer: "twn", zeros: 0.451, error: 0.1903),
    Row(quantizer: "lloyd", zeros: 0.460, error: 0.1902),
  ]

  static let weights: Matrix<Float> = {
    var random = SeededRandom(seed: 20)
    let matrix = Matrix<Float>(rows: 512, columns: 1024)
    for index in 0..<(512 * 1024) {
      let radius = (-2 * log(1 - random.uniform())).squareRoot()
      matrix.storage.base[index] = Float(0.02 * radius * cos(2 * Double.pi * random.uniform()))
    }
    return matrix
  }()

  private func error(_ values: Matrix<Float>) -> Double {
    var (error, signal) = (0.0, 0.0)
    for index in 0..<values.storage.count {
      let x = Self.weights.storage[index]
      let difference = Double(x - values.storage[index])
      error += difference * difference
      signal += Double(x) * Double(x)
    }
    return error / signal
  }

  @Test(arguments: table) func agrees(row: Row) throws {
    let quantizer = try Registry<any WeightQuantizer>.standard.make(StageChoice(row.quantizer))
    let result = try quantizer.quantize(Self.weights.view).dequantized()
    let zeros =
      Double((0..<result.storage.count).count { result.storage[$0] == 0 })
      / Double(result.storage.count)
    // 524,288 samples: the standard error of a share is below 0.0007, that of an error ratio
    // likewise.
    #expect(abs(zeros - row.zeros) < 0.003)
    #expect(abs(error(result) - row.error) < 0.002)
  }

  /// The least error of all ternary quantizers, and finer groups never do worse for it.
  @Test func lloydIsBestAndGroupsHelp() throws {
    let registry = Registry<any WeightQuantizer>.standard
    let lloyd = try error(
      registry.make(StageChoice("lloyd")).quantize(Self.weights.view).dequantized())
    for name in ["absmean", "absmean-ls", "absmedian", "absmax", "sign", "twn"] {
      let other = try error(
        registry.make(StageChoice(name)).quantize(Self.weights.view).dequantized())
      #expect(lloyd <= other + 1e-9, "\(name)")
    }
    var last = lloyd
    for choice in ["lloyd:granularity=row", "lloyd:group=128", "lloyd:group=64"] {
      let finer = try error(
        registry.make(StageChoice(parsing: choice)).quantize(Self.weights.view).dequantized())
      #expect(finer <= last)
      last = finer
    }
  }

  @Test func moreBitsMeanLessError() throws {
    let registry = Registry<any WeightQuantizer>.standard
    let errors = try ["int2", "int4", "int8"].map {
      try error(registry.make(StageChoice($0)).quantize(Self.weights.view).dequantized())
    }
    #expect(errors[0] > 10 * errors[1] && errors[1] > 10 * errors[2])
    // A uniform step of s has error s²/12; int8 per row of 1024: s ≈ 3.2σ/127.
    #expect(errors[2] < 1e-4)
  }
}
