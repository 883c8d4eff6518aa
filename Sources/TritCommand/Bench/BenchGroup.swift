import Foundation
import TritLab

/// Engines that are loaded side by side and measured in rounds.
final class BenchGroup {
  let engines: [Engine]

  /// Loads engines from the front of `waiting`, at least one, as long as those loaded take no more
  /// than half of the memory that is free.
  init(
    taking waiting: inout [(selection: StageSelection, threads: Int)], of checkpoint: Checkpoint,
    positions: Int, chunk: Int, poll: Int, images: WeightImages?, lab: Lab
  ) throws {
    let limit = RoundMemory.limit
    var engines: [Engine] = []
    var bytes = 0
    var largest = 0
    while let next = waiting.first, engines.isEmpty || bytes + largest <= limit {
      var options = EngineOptions(threads: next.threads, poll: poll, maxContext: positions)
      options.chunk = chunk
      options.images = images
      options.readsTokenizer = false
      let engine = try Engine(
        checkpoint: checkpoint, selection: next.selection, lab: lab,
        options: options)
      engines.append(engine)
      let size = engine.weightBytes + engine.cacheBytesPerPosition * engine.contextLength
      bytes += size
      largest = max(largest, size)
      waiting.removeFirst()
    }
    self.engines = engines
  }

  /// Measures one test on all engines: a row for each, in their order.
  func rows(
    _ test: SpeedMeasurement, of checkpoint: Checkpoint, chunk: Int, poll: Int
  ) throws -> [BenchRow] {
    let printer = ProgressPrinter("\(test.promptTokens)+\(test.generatedTokens)", value: "t/s")
    let time = Date()
    let meters = Dictionary(
      Set(engines.map(\.threads)).map { ($0, PeakMeter(threads: $0)) }, uniquingKeysWith: { $1 })
    func roofs() -> [SpeedRoof?] {
      engines.map { engine in meters[engine.threads].flatMap { test.roof(engine, meter: $0) } }
    }
    let before = roofs()
    for engine in engines { engine.resetTimes() }
    let runs = try test.rounds(engines, progress: printer.show)
    // Neighbours take bandwidth away at times: the better of two measurements is the roof.
    let after = roofs()
    return engines.indices.map { index in
      let whole = checkpoint.fullLayers.flatMap {
        DepthExtrapolation(runs[index].result, on: engines[index], layers: $0)
      }
      return BenchRow(
        engine: engines[index], checkpoint: checkpoint, measurement: test, run: runs[index],
        chunk: chunk, poll: poll, time: time,
        roof: [before[index], after[index]].compactMap(\.self).max {
          $0.perSecond < $1.perSecond
        }, whole: whole)
    }
  }
}
