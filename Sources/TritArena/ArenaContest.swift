import TritCore
import TritKernels

/// A contest in this process: checks, then the race. What it finds goes out as messages, as it
/// comes.
///
/// It belongs into a child process (`Arena.childMain`): the kernels that it runs may do anything.
final class ArenaContest {
  /// One that runs.
  struct Entrant {
    let name: String
    let kernel: any LinearKernel
    /// The form of activations that it gets.
    var form: ActivationForm { kernel.forms.contains(.int8) ? .int8 : .float32 }

    /// The layer, or what `prepare` says.
    func prepare(_ weights: ArenaWeights) throws -> any PreparedLinear {
      try kernel.prepare(weights.weights, for: form)
    }
  }

  let request: ArenaRequest
  let contestant: Entrant
  let rivals: [Entrant]
  let runner: ArenaRunner
  let roofs: ArenaRoofs
  let witness: ArenaWitness
  var clocks: ArenaClocks
  var random: SeededRandom
  let emit: (ArenaMessage) -> Void
  var verdicts: [ArenaVerdict] = []

  /// What must be there before a contestant is loaded.
  struct Ground {
    let clocks = ArenaClocks()
    let runner: ArenaRunner
    let roofs: ArenaRoofs
    let rivals: [Entrant]
    let witness: ArenaWitness

    init(_ request: ArenaRequest, rivals: [Entrant]) throws {
      runner = ArenaRunner(threads: request.threads)
      roofs = ArenaRoofs(threads: request.threads)
      self.rivals = rivals
      // Baselines that start threads or load libraries do it now.
      var random = SeededRandom(seed: 1)
      for rival in rivals {
        let weights = ArenaWeights(ArenaContest.commonShapes[0], &random)
        guard let layer = try? rival.prepare(weights) else { continue }
        let buffers = ArenaBuffers(ArenaContest.commonShapes[0], tokens: 2)
        buffers.fill(&random)
        buffers.reset(rival.form)
        runner.multiply(layer, buffers)
      }
      witness = ArenaWitness()
    }
  }

  init(
    _ request: ArenaRequest, _ ground: Ground, contestant: any LinearKernel, seed: UInt64,
    emit: @escaping (ArenaMessage) -> Void
  ) {
    self.request = request
    self.contestant = Entrant(name: request.name, kernel: contestant)
    rivals = ground.rivals
    runner = ground.runner
    roofs = ground.roofs
    witness = ground.witness
    clocks = ground.clocks
    random = SeededRandom(seed: seed)
    self.emit = emit
  }

  /// Shapes that every packing of the lab takes, and some that only a few do.
  static let commonShapes = [
    WeightShape(192, 768), WeightShape(96, 384), WeightShape(33, 256), WeightShape(5, 127),
    WeightShape(64, 2560), WeightShape(32, 6912),
  ]

  /// Runs everything: checks first, and the race only where all of them passed.
  func run() {
    phase("bounds")
    judge(.bounds, bounds())
    // What writes beside its buffers would break the checks that follow.
    if verdicts.allSatisfy(\.isFine) {
      phase("laws")
      judge(.laws, laws())
      phase("freshness")
      judge(.freshness, freshness())
      phase("shapes")
      judge(.shapes, shapes())
      phase("bytes")
      judge(.bytes, bytes())
    }
    // The rest can be told at the end alone, but what is known already is no less true.
    if verdicts.allSatisfy(\.isFine), witness.strangers() == nil, fallback() == nil {
      mark()
      race()
      mark()
    }
    judge(.threads, witness.strangers())
    judge(.library, fallback())
    judge(.clock, clocks.fault())
    var done = ArenaMessage(.done)
    done.kernel = chosen
    emit(done)
  }

  /// The kernel that runs where the contestant chooses one.
  var chosen: String?

  /// Says what is being done, and so that the process lives.
  func phase(_ text: String) { emit(ArenaMessage(.phase, text: text)) }

  private func mark() {
    var message = ArenaMessage(.mark)
    message.nanoseconds = HardwareClock.nanoseconds()
    emit(message)
  }

  func judge(_ check: ArenaCheck, _ fault: String?) {
    let verdict = ArenaVerdict(check, isFine: fault == nil, found: fault ?? "")
    verdicts.append(verdict)
    var message = ArenaMessage(.verdict)
    message.verdict = verdict
    emit(message)
  }
}
