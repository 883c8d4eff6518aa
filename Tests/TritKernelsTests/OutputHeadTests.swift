import Testing
import TritLab

@Suite("Output heads") struct OutputHeadTests {
  static let heads = Registry<any OutputHead>.standard.available()

  @Test("every registered head keeps the laws", arguments: heads.map(\.name))
  func laws(name: String) throws {
    let head = try Registry<any OutputHead>.standard.make(StageChoice(name))
    #expect(head.name == name)
    let violations = checkOutputHead(head)
    #expect(violations.isEmpty, "\(violations.prefix(5))")
  }

  @Test("screening keeps the greatest logits for any k", arguments: [1, 2, 5, 100, 1000])
  func screening(k: Int) {
    for format in [HalfHead.Format.f16, .bf16, nil] {
      for bits in [4, 6, 8] {
        let violations = checkOutputHead(ScreenedHead(k: k, exact: format, bits: bits))
        #expect(violations.isEmpty, "\(bits) bits: \(violations.prefix(5))")
      }
    }
  }

  @Test("auto loses no more than it may", arguments: AutoHead.Loss.allCases)
  func auto(loss: AutoHead.Loss) throws {
    let violations = checkOutputHead(AutoHead(loss: loss))
    #expect(violations.isEmpty, "\(violations.prefix(5))")
    var random = SeededRandom(seed: 9)
    let weights = Matrix<Float>(rows: 300, columns: 128)
    for index in 0..<weights.storage.count {
      weights.storage.base[index] = Float(random.uniform() * 2 - 1)
    }
    let kernel = try AutoHead(loss: loss).prepare(weights.view).kernel
    let allowed = ["f16", "bf16", "f32", "screened", "int8", "int6", "int4"]
    let count: [AutoHead.Loss: Int] = [.none: 3, .tail: 4, .int8: 5, .int6: 6, .int4: 7]
    #expect(allowed.prefix(count[loss] ?? 0).contains { kernel.hasPrefix($0) }, "\(kernel)")
  }

  @Test(
    "auto never screens weights that no 16 bits hold, and screens in the format that holds them")
  func autoFormats() throws {
    let weights = Matrix<Float>(rows: 64, columns: 96)
    for index in 0..<weights.storage.count { weights.storage.base[index] = Float(index % 7) / 3 }
    let exact = AutoHead(loss: .tail).candidates(format: try ExactHead.format(of: weights))
    #expect(!exact.contains { $0 is ScreenedHead })
    // 2^-30 is beyond binary16, and exact in bfloat16.
    for index in 0..<weights.storage.count {
      weights.storage.base[index] = Float(index % 7) * 0x1p-30
    }
    #expect(try ExactHead.format(of: weights) == .bf16)
    let heads = AutoHead(loss: .tail, k: 3).candidates(format: .bf16)
      .compactMap { $0 as? ScreenedHead }
    #expect(heads.count == 2 && heads.allSatisfy { $0.exact == .bf16 && $0.k == 3 })
  }

  @Test("screening rescores few rows where one stands out")
  func counter() throws {
    var random = SeededRandom(seed: 5)
    let weights = Matrix<Float>(rows: 4000, columns: 256)
    for index in 0..<weights.storage.count {
      weights.storage.base[index] = Float(random.uniform() * 2 - 1)
    }
    let prepared = try ScreenedHead(k: 1).prepare(weights.view)
    let screening = try #require(prepared as? any ScreeningHead)
    let logits = Matrix<Float>(rows: 1, columns: 4000)
    let x = weights.view.rows(77..<78)
    prepared.multiply(x, rows: 0..<4000, into: logits.mutableView)
    prepared.finish(x, logits: logits.mutableView, on: WorkerPool(threads: 2))
    #expect(screening.finishedTokens == 1)
    #expect((1...40).contains(screening.rescoredRows))
    let greatest = (0..<4000).max { logits[0, $0] < logits[0, $1] }
    #expect(greatest == 77)
  }

  @Test("a checker finds a head that is wrong")
  func wrongHead() {
    #expect(!checkOutputHead(WrongHead()).isEmpty)
  }

  @Test("a weight beyond binary16 is an error that names a head that takes it")
  func tooLarge() throws {
    let weights = Matrix<Float>(rows: 2, columns: 3)
    weights[1, 2] = 70_000
    let error = #expect(throws: LabError.self) { try HalfHead(.f16).prepare(weights.view) }
    #expect(error?.place == "row 1, column 2")
    #expect(error?.advice?.contains("bf16") == true)
    #expect(throws: Never.self) { try HalfHead(.bf16).prepare(weights.view) }
  }
}

/// Claims to be exact, and rounds to bfloat16.
private struct WrongHead: OutputHead {
  let name = "wrong"
  func prepare(_ weights: MatrixView<Float>) throws -> any PreparedHead {
    Prepared(inner: try HalfHead(.bf16).prepare(weights))
  }

  struct Prepared: PreparedHead {
    let inner: any PreparedHead
    var kernel: String { "wrong" }
    var rows: Int { inner.rows }
    var columns: Int { inner.columns }
    var weightBytes: Int { inner.weightBytes }
    var rowAlignment: Int { inner.rowAlignment }
    func multiply(
      _ x: MatrixView<Float>, rows range: Range<Int>, into logits: MutableMatrixView<Float>
    ) { inner.multiply(x, rows: range, into: logits) }
  }
}
