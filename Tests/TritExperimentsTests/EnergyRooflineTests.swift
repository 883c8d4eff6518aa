import Foundation
import Testing
import TritLab
import _TritTestSupport

import TritExperiments

/// The measurements `energy` and `roofline`: as sections of a file, and on a tiny model.
@Suite struct EnergyRooflineTests {
  @Test func sectionsHaveDefaultsAndSayWhatIsWrong() throws {
    let file = try decode("name: t\nmeasure: {energy: {}, roofline: {shapes: [256x128]}}\n")
    #expect(
      file.measure.first(EnergyMeasure.self)?.context == 256
        && file.measure.first(EnergyMeasure.self)?.accumulator == "int8")
    #expect(file.measure.first(RooflineMeasure.self)?.tokens.last == 512)
    #expect(file.measure.first(RooflineMeasure.self)?.shapes == [[256, 128]])
    let list = problems(
      """
      name: t
      measure:
        energy: {float: fp8, tokens: -1}
        roofline: {shapes: [256x, 3], tokens: 5, zero_percent: 100}
      plots: [throughput]
      """)
    func find(_ place: String) -> LabError? { list.first { $0.place == "x.yaml:\(place)" } }
    #expect(find("3:19")?.expected == "one of: fp16, fp32")
    #expect(find("4:23")?.expected == "ROWSxCOLUMNS, each 1…131072, as 6912x2560")
    #expect(list.contains { $0.place == "x.yaml:4:41" && $0.what.contains("roofline.tokens") })
    #expect(list.contains { $0.what.contains("throughput") })
    #expect(list.contains { $0.what.contains("zero_percent") && $0.got == "100" })
  }

  @Test func aTinyModelIsCountedAndTimed() throws {
    try withTemporaryFolder { folder in
      let models = try TemporaryFolder("model")
      let model = try TinyCheckpoint.write(.bitnetOnline, in: models)
      try AtomicFile.write(
        """
        name: t
        model: \(model)
        reference: openblas-f32
        variants: [{name: ternary, kernel: i2_s}]
        measure:
          energy: {context: 10, tokens: 2}
          roofline: {shapes: [32x128], tokens: [1, 4], milliseconds: 1, zero_percent: 50}
        plots: [energy, roofline]
        """, to: folder + "/x.yaml")
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(outputDirectory: folder + "/runs", threads: 1), observer: { _ in })
      #expect(outcome.exitCode == 0)
      let metrics = outcome.records.map(\.metrics)
      let energies = metrics.compactMap { $0["energy.linear.7nm_picojoules"] }
      // 294,912 weights: 0.5 pJ each in fp16 (less a sum a row), and 0.007 pJ each with 0.34 an
      // input and an output.
      let rows: Double = 2 * 1024
      let ends: Double = rows + 2 * (6 * 128 + 256)
      let weights: Double = 2 * (2 * 128 * 128 + 2 * 64 * 128 + 3 * 256 * 128)
      try #require(energies.count == 2)
      let float: Double = 0.5 * weights - 0.16 * rows
      let ternary: Double = 0.007 * (weights - rows) + 0.34 * ends
      #expect(abs(energies[0] - float) < 1e-6 * float)
      #expect(abs(energies[1] - ternary) < 1e-6 * ternary)
      let points = try #require(outcome.records[1].series["roofline.points"])
      #expect(points.labels == ["32x128", "32x128"] && points.columns["tokens"] == [1, 4])
      #expect(metrics[1]["roofline.zero_percent"] == 50)
      #expect(points.columns["share_of_roof"]?.allSatisfy { $0 > 0 } == true)
      #expect(outcome.records[1].facts["roofline kernel"]?.hasPrefix("i2_s/") == true)
      #expect(outcome.summary.contains("µJ/token (7 nm)"))
    }
  }

  /// What is rotated and back is multiplied in float, whatever the quantizer is called; so is what
  /// `dequantize` widens.
  @Test func theRoofIsThatOfTheArithmeticThatRuns() throws {
    try withTemporaryFolder { folder in
      let models = try TemporaryFolder("model")
      let model = try TinyCheckpoint.write(.bitnetPacked, in: models)
      try AtomicFile.write(
        """
        name: t
        model: \(model)
        reference: none
        variants:
          - {name: integers, kernel: i2_s}
          - {name: rotated, activations: hadamard-int4}
          - {name: widened, activations: int8, kernel: dequantize}
          - {name: 4 bits, quantizer: int4, kernel: int4}
        measure:
          roofline: {shapes: [128x128], tokens: [1, 4], milliseconds: 1}
          speed: {prompt: 4, tokens: 2, repetitions: 1, roofs: true}
        plots: [roofline]
        """, to: folder + "/x.yaml")
      let outcome = try ExperimentRunner.run(
        file: folder + "/x.yaml",
        options: RunOptions(outputDirectory: folder + "/runs", threads: 1), observer: { _ in })
      #expect(outcome.exitCode == 0)
      let metrics = outcome.records.map(\.metrics)
      #expect(metrics.map { $0["roofline.is_float"] } == [0, 1, 1, 0])
      let kernels = outcome.records.compactMap { $0.facts["roofline kernel"] }
      // Trits with float activations have kernels of their own on every CPU with SIMD leaves.
      #expect(kernels[1].hasPrefix("trits_f32/") || kernels[1] == "dequantize")
      #expect(kernels[2] == "dequantize")
      #expect(kernels[3] == "int4/scalar")
      // The machine's int8 peak is far above its float32 one.
      let integer = metrics[0]["roofline.int8_peak"] ?? 0
      if integer > 2 * (metrics[0]["roofline.fp32_peak"] ?? .infinity) {
        let roofs = metrics.compactMap { $0["speed.prefill.roof_tokens_per_second"] }
        #expect(roofs.count == 4 && roofs[1] < roofs[0] && roofs[2] < roofs[0])
      }
    }
  }
}
