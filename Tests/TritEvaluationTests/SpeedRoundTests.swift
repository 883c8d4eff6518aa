import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct SpeedRoundTests {
  private func engines(_ count: Int, _ folder: TemporaryFolder) throws -> [Engine] {
    let checkpoint = try Checkpoint(path: TinyCheckpoint.write(.bitnetPacked, in: folder))
    return try (0..<count).map { _ in
      try Engine(
        checkpoint: checkpoint,
        selection: StageSelection(kernel: StageChoice("reference")),
        options: EngineOptions(threads: 1, maxContext: 32))
    }
  }

  /// One repetition of each, then the next of each; warm-ups before the first round.
  @Test func repetitionsGoInRounds() throws {
    let folder = try TemporaryFolder()
    let engines = try engines(3, folder)
    final class Order { var list: [Int] = [] }
    let order = Order()
    for (index, engine) in engines.enumerated() {
      engine.probe = { _, _ in if order.list.last != index { order.list.append(index) } }
    }
    let measurement = SpeedMeasurement(promptTokens: 4, generatedTokens: 2, repetitions: 3)
    var heard = 0
    let runs = try measurement.rounds(engines) { _ in heard += 1 }
    #expect(order.list == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(heard == 9 && runs.count == 3)
    for run in runs {
      #expect(run.result.samples.count == 3 && run.engines == 3)
      #expect(run.load.wall > 0 && run.load.processor >= 0)
      #expect((0...1).contains(run.load.threadShare))
      // The timed parts are all that the load is about.
      let timed = run.result.samples.reduce(0.0) { $0 + Double($1) * 1e-9 }
      #expect(run.load.wall >= timed * 0.999)
    }
    #expect(throws: LabError.self) {
      try SpeedMeasurement(promptTokens: 40, generatedTokens: 0).rounds(engines)
    }
  }

  @Test func aQuietMachineDisturbsNothing() {
    let load = MachineLoad(wall: 2, processor: 3.98, thread: 1.99, waited: 0.01, stolen: 0.001)
    let judged = SpeedDisturbance(load, rates: [100, 102, 99, 101], cores: 2, average: 2.1)
    #expect(judged.text == nil && judged.reasons.isEmpty)
    #expect(agrees(judged.spread, 3 / 100.5))
    // Two samples say little about spread.
    #expect(SpeedDisturbance(load, rates: [10, 100], cores: 2).text == nil)
  }

  @Test func aLoadedMachineIsSaid() {
    func reasons(
      _ load: MachineLoad, _ rates: [Double] = [100, 100, 100], _ average: Double? = nil
    ) -> [String] {
      SpeedDisturbance(load, rates: rates, cores: 2, average: average).reasons
    }
    // A core shared with one other program: half of the time that threads were ready.
    let shared = MachineLoad(wall: 2, processor: 2, thread: 1, waited: 2, stolen: 0)
    #expect(shared.waitShare == 0.5 && shared.threadShare == 0.5)
    #expect(reasons(shared) == ["its threads waited for a core 50 % of the time"])
    // Where the system does not tell of waiting, the thread's own clock does.
    let silent = MachineLoad(wall: 2, processor: 1.2, thread: 1.2)
    #expect(reasons(silent) == ["its thread had a core only 60 % of the time"])
    let stolen = MachineLoad(wall: 2, processor: 2, thread: 2, waited: 0, stolen: 0.25)
    #expect(reasons(stolen) == ["the hypervisor took 25 % of the machine's time"])
    let quiet = MachineLoad(wall: 2, processor: 2, thread: 2, waited: 0, stolen: 0)
    #expect(
      reasons(quiet, [1561, 24_264, 24_000])
        == ["its fastest and slowest rounds are 95 % of the median apart"])
    #expect(
      reasons(quiet, [100, 100], 7.9) == ["the load average was 7.9 on 2 cores when it began"])
  }

  @Test func loadsAddUp() {
    let first = MachineLoad(wall: 1, processor: 2, thread: 1, waited: 0.5, stolen: 0.1)
    let second = MachineLoad(wall: 3, processor: 1, thread: 2, waited: 0.5, stolen: 0.3)
    let sum = MachineLoad() + first + second
    #expect(sum.wall == 4 && sum.processor == 3 && sum.thread == 3 && sum.waited == 1)
    #expect(sum.waitShare == 0.25 && agrees(sum.stolen ?? 0, 0.25, digits: 12))
    let unknown = first + MachineLoad(wall: 1, processor: 1, thread: 1)
    #expect(unknown.waited == nil && unknown.stolen == nil)
  }

  @Test func generationCountsAndTimesTheSameTokens() throws {
    let folder = try TemporaryFolder()
    let engine = try engines(1, folder)[0]
    func generate(_ count: Int) throws -> GenerationResult {
      try engine.generate(
        prompt: [1, 2, 3], options: GenerationOptions(maxTokens: count, ignoresEnd: true))
    }
    let result = try generate(6)
    #expect(result.tokens.count == 6 && result.decodeSteps == 5)
    #expect(result.generationSeconds >= result.decodeSeconds && result.decodeSeconds > 0)
    let rate = try #require(result.generatedTokensPerSecond)
    #expect(agrees(rate, 6 / result.generationSeconds, digits: 12))
    #expect(agrees(result.decodeTokensPerSecond, 5 / result.decodeSeconds, digits: 12))
    #expect(try generate(0).generatedTokensPerSecond == nil)
  }
}
