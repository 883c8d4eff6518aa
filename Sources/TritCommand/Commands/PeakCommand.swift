import Foundation
import TritLab

/// `trit peak`: what this machine can do at most.
enum PeakCommand {
  static let threads = OptionSpec(
    "-t", "--threads", value: "n,…", help: "Threads", default: "1 and all cores",
    environment: "TRITLAB_THREADS")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "peak", context, overview: "Measure what this machine can do at most.",
      discussion: """
        The roofs that 'trit bench' and 'trit kernel' hold speeds against: int8 and float32 \
        multiply-adds by instruction set, reading from each cache and from memory, the ways of asking \
        for weights before they are read, and the cost of a parallel region. Every figure is the best of several runs; one op is a multiplication or an \
        addition.
        """,
      groups: [OptionGroup("OPTIONS", [threads])],
      json: "one object: clock, caches, and a list of each kind of roof",
      examples: [
        ("trit peak", "the table, in a few seconds"),
        ("trit peak -t 1 --json | jq '.clock_hz'", "for a script"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let given = try arguments.integers(threads, in: 1...1024)
    let cores = HostInformation.cores
    let teams = given.isEmpty ? (cores > 1 ? [1, cores] : [1]) : given
    let peak = try MachinePeak(threads: teams) { Terminal.status($0) }
    Terminal.status("")
    if arguments.isJSON {
      return try Terminal.json(document(peak))
    }
    try print(peak, style: try Style.out(arguments))
  }

  private static func print(_ peak: MachinePeak, style: Style) throws {
    func line(_ cells: [String]) throws {
      let widths = [8, 28, 6, 12]
      let text = cells.filter { !$0.isEmpty }.enumerated().map { index, cell in
        TextLayout.padded(cell, index < widths.count ? widths[index] : 0, right: index >= 2)
      }
      try Terminal.line(text.joined(separator: "  "))
    }
    let caches = [peak.caches.l1, peak.caches.l2, peak.caches.l3].map(size)
    try Terminal.line(
      "\(HostInformation.cpuName), \(String(format: "%.2f", peak.clock * 1e-9)) GHz, data caches "
        + caches.joined(separator: ", "))
    try Terminal.line()
    try Terminal.line(
      style.bold("multiply-adds") + style.faint("  (and products a cycle and core)"))
    for (kind, list) in [("int8", peak.integer), ("float32", peak.float)] {
      for entry in list {
        try line([
          kind, "\(entry.name): \(entry.instruction)", "\(entry.threads) thr",
          String(format: "%.1f Gop/s", entry.operationsPerSecond * 1e-9),
          String(format: "%.1f a cycle", peak.productsPerCycle(entry)),
        ])
      }
    }
    try Terminal.line()
    try Terminal.line(style.bold("reading"))
    for entry in peak.readings {
      try line([
        entry.level, size(entry.bytes), "\(entry.threads) thr",
        String(format: "%.1f GB/s", entry.bytesPerSecond * 1e-9),
        String(format: "median %.1f", entry.medianBytesPerSecond * 1e-9),
      ])
    }
    try Terminal.line()
    try Terminal.line(style.bold("streaming form"))
    for (form, speed) in zip(StreamingForm.allCases, peak.streaming.bytesPerSecond) {
      try line([
        form.rawValue, form.summary, "1 thr", String(format: "%.1f GB/s", speed * 1e-9),
        form == peak.streaming.best ? "used for weights" : "",
      ])
    }
    try Terminal.line()
    try Terminal.line(style.bold("parallel region"))
    for entry in peak.regions {
      try line([
        "region", "empty, start to end", "\(entry.threads) thr",
        String(format: "%.3f µs", entry.seconds * 1e6),
      ])
    }
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20
      ? String(format: "%.4g MiB", Double(bytes) / 1_048_576)
      : String(format: "%.4g KiB", Double(bytes) / 1024)
  }

  private static func document(_ peak: MachinePeak) -> JSONValue {
    func list(_ entries: [PeakMeter.Arithmetic]) -> JSONValue {
      .array(
        entries.map { entry in
          .object([
            ("name", .string(entry.name)), ("instruction", .string(entry.instruction)),
            ("threads", JSONValue(entry.threads)),
            ("ops_per_second", JSONValue(entry.operationsPerSecond)),
          ])
        })
    }
    let readings = peak.readings.map { entry in
      JSONValue.object([
        ("level", .string(entry.level)), ("bytes", JSONValue(entry.bytes)),
        ("threads", JSONValue(entry.threads)),
        ("bytes_per_second", JSONValue(entry.bytesPerSecond)),
        ("median_bytes_per_second", JSONValue(entry.medianBytesPerSecond)),
      ])
    }
    let regions = peak.regions.map { entry in
      JSONValue.object([
        ("threads", JSONValue(entry.threads)), ("seconds", JSONValue(entry.seconds)),
      ])
    }
    return .object([
      ("cpu", .string(HostInformation.cpuName)), ("clock_hz", JSONValue(peak.clock)),
      (
        "caches",
        .object([
          ("l1", JSONValue(peak.caches.l1)), ("l2", JSONValue(peak.caches.l2)),
          ("l3", JSONValue(peak.caches.l3)),
        ])
      ),
      ("int8", list(peak.integer)), ("float32", list(peak.float)),
      ("reading", .array(readings)),
      (
        "streaming",
        .object([
          ("used", .string(peak.streaming.best.rawValue)),
          (
            "bytes_per_second",
            .object(
              zip(StreamingForm.allCases, peak.streaming.bytesPerSecond).map {
                ($0.rawValue, JSONValue($1))
              })
          ),
        ])
      ),
      ("region", .array(regions)),
    ])
  }
}
