import Foundation
import TritLab

/// `trit kernel`: what kernels there are, whether they are right, and how fast they are.
enum KernelCommand {
  static let action = ArgumentSpec(
    "action", help: "What to do", choices: ["list", "check", "bench"])
  static let names = ArgumentSpec(
    "name", help: "Kernels or packings, as i2_s or tl2/avx2; 'all'", optional: true,
    repeats: true)
  static let models = OptionSpec(
    "--models", value: "name,…", help: "Whose layer shapes 'bench' takes",
    default: "bitnet-b1.58-2B-4T,3B,llama3-8B")
  static let tokens = OptionSpec(
    "--tokens", value: "n,…", help: "Tokens of a multiply",
    default: "bench 1,2,4,8,16,32,128,512; check 1,33")
  static let threads = OptionSpec(
    "-t", "--threads", value: "n", help: "Threads of 'bench'", default: "1",
    environment: "TRITLAB_THREADS")
  static let zeros = OptionSpec(
    "--zeros", value: "share",
    help: "Share of activations of 'bench' that are 0; sparse_rows: of rows that are not wanted",
    default: "0")
  static let group = OptionSpec(
    "--group", value: "n,…",
    help: "Columns that share a scale in 'bench', measured in turn; 0: one scale a tensor",
    default: "0")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "kernel", context, overview: "List, prove and time the linear kernels.",
      discussion: """
        'check' runs the laws of kernels (int32 sums equal to the reference, in any split, beside any \
        other tokens) over awkward shapes and compares real layer shapes with the reference; it ends \
        with code 2 if one fails. 'bench' times real layers, weights streamed from memory, and names \
        the share of the roof that bounds each: the int8 (float32) peak, or reading. Times and roofs are \
        the best of many short runs: neighbours only take away. Without names, 'check' takes all kernels that run here and 'bench' i2_s.
        """,
      arguments: [action, names],
      groups: [OptionGroup("OPTIONS", [models, tokens, threads, zeros, group])],
      json: "an object a line: a kernel, or a case", plugins: true,
      examples: [
        ("trit kernel list", "all kernels, with what each needs"),
        ("trit kernel check i2_s", "every kernel of the packing i2_s"),
        (
          "trit kernel bench i2_s base3 --tokens 1 --models large",
          "two packings, one token, the shapes of 'large'"
        ),
        (
          "trit kernel bench i2_s sparse_columns --tokens 1 --zeros 0.86",
          "what skipping zeros gains; the share of reading all weights may pass 100 %"
        ),
        (
          "trit kernel bench i2_s trits_f32 --group 0,128,64 --tokens 1,512 --models bonsai-4B",
          "what scales for groups of columns cost, with int8 and with float activations"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let chosen = Array(arguments.arguments.dropFirst())
    switch try arguments.choice(action) {
    case "check":
      try check(try kernels(chosen, default: "all", bare: false, arguments), arguments)
    case "bench": try bench(try kernels(chosen, default: "i2_s", bare: true, arguments), arguments)
    default: try list(arguments)
    }
  }

  private static func list(_ arguments: ParsedArguments) throws {
    let style = try Style.out(arguments)
    for entry in arguments.lab[.kernel].descriptors {
      if arguments.isJSON {
        let object = JSONValue.object([
          ("name", .string(entry.name)), ("summary", .string(entry.summary)),
          ("exactness", .string(entry.exactness.text)),
          ("needs", JSONValue(entry.instructionSets)),
          ("available", .bool(entry.unavailable == nil)),
        ])
        try Terminal.line(JSONWriter.text(object))
        continue
      }
      let state = entry.unavailable ?? entry.exactness.text
      let indent = 28
      var lines = TextLayout.wrap(
        "\(entry.summary) [\(state)]", width: Terminal.columns, indent: indent)
      lines[0] = "  " + style.bold(entry.name) + lines[0].dropFirst(entry.name.count + 2)
      for line in lines { try Terminal.line(line) }
    }
  }

  /// The kernels that `names` mean: a kernel, all kernels of a packing, or all that run here.
  /// `bare` takes a packing's name for its fastest kernel.
  private static func kernels(
    _ names: [String], default fallback: String, bare: Bool, _ arguments: ParsedArguments
  ) throws -> [any LinearKernel] {
    let registry = arguments.lab[.kernel]
    let available = registry.available()
    var result: [any LinearKernel] = []
    for name in names.isEmpty ? [fallback] : names {
      if name == "all" {
        result += available.filter { !registry.isDerived($0.name) }.map(\.product)
        continue
      }
      let members = available.filter { entry in
        !registry.isDerived(entry.name)
          && registry.descriptor(entry.name)?.kernel?.packing == name
      }.map(\.product)
      if !bare, !members.isEmpty {
        result += members
      } else {
        result.append(try registry.make(try StageChoice(parsing: name)))
      }
    }
    return result
  }

  // MARK: Check

  private static func check(_ kernels: [any LinearKernel], _ arguments: ParsedArguments) throws {
    let counts = try arguments.integers(tokens, in: 1...4096)
    let meter = PeakMeter(threads: 1)
    let roofs = Roofs(meter)
    let printer = KernelTable(
      json: arguments.isJSON, isCheck: true, style: try Style.out(arguments))
    try printer.head()
    var failures = 0
    for kernel in kernels {
      let isLossy = arguments.lab[.kernel].descriptor(kernel.name)?.exactness != .lossless
      for shape in WeightShape.awkward {
        try Interruption.check()
        let broken = checkLinearKernel(kernel, shapes: [shape])
        for violation in broken.filter({ !$0.isRefusalOfAll }) { Terminal.note("  \(violation)") }
        failures += broken.contains { !$0.isRefusalOfAll } ? 1 : 0
        try row(
          kernel, shape, counts.isEmpty ? [33] : counts, roofs, printer, isLossy: isLossy,
          verdict: broken.contains { !$0.isRefusalOfAll } ? false : true, failures: &failures)
      }
      for shape in [WeightShape(2560, 2560), WeightShape(6912, 2560), WeightShape(2560, 6912)] {
        try Interruption.check()
        try row(
          kernel, shape, counts.isEmpty ? [1, 33] : counts, roofs, printer, isLossy: isLossy,
          verdict: true, failures: &failures)
      }
    }
    guard failures == 0 else {
      throw LabError(
        .verdict, "\(failures) cases failed", advice: "the lines above say which law was broken")
    }
  }

  /// Times and compares one kernel on one shape. `verdict` is what its laws gave.
  private static func row(
    _ kernel: any LinearKernel, _ shape: WeightShape, _ counts: [Int], _ roofs: Roofs,
    _ printer: KernelTable, isLossy: Bool, verdict: Bool, failures: inout Int
  ) throws {
    let trial: KernelTrial
    do {
      trial = try KernelTrial(kernel, shape: shape)
    } catch let error as LabError where error.kind == .usage || error.kind == .badData {
      return try printer.refusal(kernel.name, shape, error)
    }
    for count in counts {
      let residual = try trial.residual(tokens: count)
      // Two roundings of a float32 product, or those of a float32 sum.
      let bound = isLossy ? .infinity : trial.accepts == .int8 ? 0x1p-20 : 0x1p-13
      let isFine =
        verdict && residual.relative <= bound && (isLossy || residual.sumsAreExact != false)
      if verdict, !isFine { failures += 1 }
      let speed = trial.time(tokens: count, seconds: 0.004)
      try printer.row(
        KernelTable.Row(
          trial: trial, speed: speed, roof: roofs.roof(trial, speed), residual: residual,
          isFine: isFine))
    }
  }

  // MARK: Bench

  private static func bench(_ kernels: [any LinearKernel], _ arguments: ParsedArguments) throws {
    let given = try arguments.integers(tokens, in: 1...4096)
    let counts = given.isEmpty ? [1, 2, 4, 8, 16, 32, 128, 512] : given
    let team = try arguments.integer(threads, in: 1...1024) ?? 1
    let zeros = try arguments.real(zeros, in: 0...1) ?? 0
    let listed = try arguments.list(models)
    let presets = try (listed.isEmpty ? ["bitnet-b1.58-2B-4T", "3B", "llama3-8B"] : listed)
      .map(DummyPreset.named)
    var shapes: [WeightShape] = []
    for shape in presets.flatMap(\.linearShapes) where !shapes.contains(shape) {
      shapes.append(shape)
    }
    let listedGroups = try arguments.integers(group, in: 0...65_536)
    let groups = listedGroups.isEmpty ? [0] : listedGroups
    let meter = PeakMeter(threads: team)
    let printer = KernelTable(
      json: arguments.isJSON, isCheck: false, style: try Style.out(arguments))
    try printer.head()
    let roofs = Roofs(meter)
    for kernel in kernels {
      for shape in shapes {
        try Interruption.check()
        roofs.measure()
        var trials: [KernelTrial] = []
        for group in groups {
          do {
            trials.append(
              try KernelTrial(
                kernel, shape: shape, granularity: group == 0 ? .tensor : .group(group),
                streaming: PeakMeter.memoryBytes, threads: team, zeros: zeros))
          } catch let error as LabError where error.kind == .usage || error.kind == .badData {
            try printer.refusal(kernel.name, shape, error)
          }
        }
        var slowest = 0.0
        for count in counts {
          for trial in trials {
            try Interruption.check()
            // A reference kernel on a large batch would take minutes to say nothing new.
            guard slowest < 0.5 else { continue }
            let (speed, load) = MachineLoad.during { trial.time(tokens: count) }
            slowest = max(slowest, speed.seconds)
            try printer.row(
              KernelTable.Row(
                trial: trial, speed: speed, roof: roofs.roof(trial, speed), residual: nil,
                isFine: nil,
                disturbance: SpeedDisturbance(load, rates: []).text))
          }
        }
      }
    }
  }
}

/// The roofs of one team of threads: the best that was seen so far, since neighbours only take
/// away.
final class Roofs {
  private let meter: PeakMeter
  private var integer: Double?
  private var float: Double?
  private var readings: [Int: Double] = [:]
  private var fresh: Set<Int> = []

  /// Measures the peaks.
  init(_ meter: PeakMeter) {
    self.meter = meter
    measure()
  }

  /// Measures again: what neighbours leave of the machine changes by the minute.
  func measure() {
    integer = [integer, meter.integerPeak(seconds: 0.02)].compactMap(\.self).max()
    float = [float, meter.floatPeak(seconds: 0.02)].compactMap(\.self).max()
    fresh = []
  }

  /// The roof that a multiply would reach first, and the share of it that was reached. Weights that
  /// fit a cache are held against reading from that cache.
  func roof(_ trial: KernelTrial, _ speed: KernelTrial.Speed) -> (name: String, share: Double) {
    let peak = (trial.arithmetic == .int8 ? integer : float) ?? .infinity
    let compute = speed.operationsPerSecond * speed.madeShare / peak
    let memory = speed.bytesPerSecond / reading(trial.workingBytes)
    return compute > memory
      ? (trial.arithmetic == .int8 ? "int8" : "fp32", compute) : ("read", memory)
  }

  private func reading(_ bytes: Int) -> Double {
    // Sizes within a power of two are read alike, unless a cache ends between them.
    var size = 1 << 14
    while size < bytes, size < PeakMeter.memoryBytes { size *= 2 }
    let known = readings[size] ?? 0
    if fresh.contains(size) { return known }
    let speed = max(known, meter.read(bytes: size, seconds: 0.1).bytesPerSecond)
    readings[size] = speed
    fresh.insert(size)
    return speed
  }
}

extension LawViolation {
  /// One shape alone may be refused by a kernel: that is no broken law.
  fileprivate var isRefusalOfAll: Bool { law == "a kernel takes some weights" }
}
