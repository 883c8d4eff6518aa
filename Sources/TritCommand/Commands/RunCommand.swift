import Foundation
import TritLab

/// `trit run`: an experiment file, run to records, plots and a report.
enum RunCommand {
  static let file = ArgumentSpec("file", help: "The experiment file", completion: .yaml)
  static let list = OptionSpec(flag: "--list", help: "List the variants and run nothing")
  static let set = OptionSpec(
    "--set", value: "key=value",
    help: "Override a value of the file, as measure.speed.repetitions=9; may be repeated")
  static let force = OptionSpec(
    flag: "--force", help: "Measure again what is known, in a new run directory")
  static let quiet = OptionSpec(
    flag: "-q", "--quiet", help: "Print the run directory only, for scripts; errors are told")
  static let output = OptionSpec(
    "-o", "--output", value: "folder", help: "Where run directories are made", default: "runs")
  static let model = OptionSpec(
    "-m", "--model", value: "model", help: "Short for --set model=…", completion: .models)

  static let allowPlugins = OptionSpec(
    flag: "--allow-plugins",
    help: "Run what 'plugins:' of the file names, this time, without a question")
  static let pluginTimeout = OptionSpec(
    "--plugin-timeout", value: "seconds",
    help: "How long nothing may go on in a plug-in before its variant fails", default: "300")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "run", context, overview: "Run an experiment file.",
      discussion: """
        Everything wrong with the file is told at once, before anything runs. Results go to \
        runs/<name>/<UTC time>/: one record a line in results.jsonl, summary.md, report.html, plots. A \
        run that was stopped goes on where it was; a variant already measured with the same inputs is \
        not measured again.

        Standard output has a short table, as wide as the terminal (80 columns where that is not known, \
        or COLUMNS), and in its last line 'results: ' and the run directory. Programs read results.jsonl \
        or metrics.csv there: DIR=$(trit run FILE --quiet).

        A file may name plug-ins, 'plugins: [mine.c]', by paths relative to it. They are native code: \
        'trit run' asks once on a terminal and remembers the content of what was allowed; elsewhere \
        --allow-plugins says yes for one run. What lies in a cache of Hugging Face's or in a model's \
        folder is never run. With plug-ins the run has a process of its own: a crash or a hang fails the \
        variant that was at work, and the others go on.
        """,
      arguments: [file],
      groups: [
        OptionGroup("OPTIONS", [list, set, model, force, output, quiet, ModelOptions.threads]),
        OptionGroup("PLUG-INS", [allowPlugins, pluginTimeout]),
      ],
      json: "one object: directory, records, notes; --list: one list of the variants",
      plugins: true,
      examples: [
        ("trit run experiments/quickstart.yaml --set model=DIR", "text, perplexity, plots"),
        ("trit run experiments/kernels.yaml --list", "what would run"),
        (
          "trit run study.yaml --set base.quantizer=absmean:group=64 -o /data/runs",
          "one choice changed, records elsewhere"
        ),
        (
          "cat \"$(trit run study.yaml --quiet)/metrics.csv\"",
          "run it in a script, then read its figures"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let path = arguments.arguments[0]
    var options = RunOptions()
    options.set = arguments.all(set) + (arguments.text(model).map { ["model=" + $0] } ?? [])
    options.force = arguments.flag(force)
    options.outputDirectory = arguments.text(output)
    options.threads = try arguments.integer(ModelOptions.threads, in: 1...1024)
    let seconds = try arguments.integer(pluginTimeout, in: 1...86_400) ?? 300
    let context = arguments.context
    let trust = PluginTrust(
      allowsAll: arguments.flag(allowPlugins), experiment: path, watched: context.watched)
    let plugins: ExperimentPlugins = { path, lab in
      try context.approved(path, &lab) { try trust.approve(path, digest: $0) }
    }
    if context.watched == nil {
      let loaded = try ExperimentFile.lab(
        ofFile: path, overrides: options.set, lab: arguments.lab, plugins: plugins
      ).plugins
      if !loaded.isEmpty {
        let supervisor = RunSupervisor(
          words: Array(CommandLine.arguments.dropFirst()), plugins: loaded.map(\.path),
          seconds: Double(seconds))
        ProcessEnd.exit(try supervisor.run(allowed: trust.allowed))
      }
    }
    if arguments.flag(list) {
      let plan = try ExperimentPlan(
        path: path, overrides: options.set, lab: arguments.lab, plugins: plugins)
      guard arguments.isJSON else { return try Terminal.out(plan.listing) }
      return try Terminal.json(document(plan))
    }
    let isQuiet = arguments.flag(quiet)
    let printer = RunPrinter()
    let outcome = try ExperimentRunner.run(
      file: path, options: options, lab: arguments.lab, plugins: plugins, backend: nil,
      supervision: context.watched?.supervision,
      observer: isQuiet ? { _ in } : printer.show)
    if arguments.isJSON {
      try Terminal.json(document(outcome))
    } else if isQuiet {
      try Terminal.line(outcome.directory)
    } else {
      try show(outcome, style: try Style.out(arguments))
    }
    if outcome.wasInterrupted {
      throw LabError(
        .interrupted, "interrupted; what was measured is in \(outcome.directory)",
        advice: "the same command goes on from there")
    }
    let failed = outcome.records.filter { $0.status == .failed }
    guard failed.isEmpty else {
      throw LabError(
        .failure, "\(failed.count) of \(outcome.records.count) variants failed",
        at: outcome.directory,
        got: failed.map { record in
          let first = record.error?.split(separator: "\n").first.map(String.init)
          return "\(record.label): \(first ?? "unknown")"
        }.joined(separator: "\n       "), advice: "summary.md there has the whole messages")
    }
  }
}

extension RunCommand {
  /// What `--list` says, as JSON.
  private static func document(_ plan: ExperimentPlan) -> JSONValue {
    .array(
      plan.variants.map { variant in
        [
          "index": JSONValue(variant.index), "id": .string(variant.id),
          "name": variant.name.map(JSONValue.string) ?? .null, "label": .string(variant.label),
          "overrides": .object(variant.overrides.map { ($0.key, .string($0.value)) }),
        ]
      })
  }

  /// The records are those of `results.jsonl`.
  private static func document(_ outcome: RunOutcome) throws -> JSONValue {
    let records = try outcome.records.map { record in
      try JSONReader.read(
        String(decoding: RecordCoding.encode(record), as: UTF8.self), path: "record")
    }
    return [
      "directory": .string(outcome.directory), "interrupted": .bool(outcome.wasInterrupted),
      "reused": JSONValue(outcome.reused), "records": .array(records),
      "notes": .array(outcome.brief.notes.map(JSONValue.string)),
      "files": .array(outcome.files.map(JSONValue.string)),
    ]
  }

  /// Prints the short table, what must be said beside it, and where everything else is.
  private static func show(_ outcome: RunOutcome, style: Style) throws {
    let brief = outcome.brief
    let width = Terminal.width
    let table = TextTable(
      heading: "variant", labels: brief.labels,
      columns: brief.columns.map {
        TextTable.Column(title: $0.title, cells: $0.cells, rank: $0.rank)
      })
    let (lines, leftOut) = table.lines(width: width, style: style)
    for line in lines { try Terminal.line(line) }
    try Terminal.line()
    var notes = brief.notes
    if brief.isDisturbed {
      notes.append("once the machine is quiet: the same command with --force measures again")
    }
    if !leftOut.isEmpty { notes.append("also in the report: " + leftOut.joined(separator: "; ")) }
    for note in notes {
      for line in TextLayout.wrap(note, width: width) { try Terminal.line(line) }
    }
    // Paths stay whole, however long: they are there to be copied, and the last line to be read by scripts.
    try Terminal.line("report:  \(outcome.directory)/report.html (and summary.md)")
    try Terminal.line("results: \(outcome.directory)")
  }
}

/// Shows what a run tells: on a terminal progress on one line that changes, elsewhere plain lines.
final class RunPrinter {
  private let isTerminal = Terminal.isInteractive
  private var lastNote = Date.distantPast
  private var count = 0
  private var warned: Set<String> = []

  /// Seconds between progress lines where standard error is a file or a pipe.
  private static let interval = 10.0

  /// Shows one event.
  func show(_ event: RunEvent) {
    switch event {
    case .started(let directory, let variants, let resumed):
      Terminal.note("\(resumed ? "continuing" : "running") \(variants) variants in \(directory)")
    case .variantStarted(let index, let of, let label):
      count = of
      if isTerminal {
        Terminal.status("[\(index + 1)/\(of)] \(label)")
      } else {
        Terminal.note("[\(index + 1)/\(of)] \(label)")
      }
    case .progress(let label, let section, let fraction, let remaining):
      var text = "\(label): \(section) \(Int((100 * fraction).rounded())) %"
      if let remaining { text += ", \(ProgressPrinter.duration(remaining)) left" }
      if isTerminal {
        Terminal.status(text)
      } else if Date().timeIntervalSince(lastNote) >= Self.interval {
        lastNote = Date()
        Terminal.note("  " + text)
      }
    case .variantEnded(let record):
      Terminal.status("")
      let why = record.error.map { ": " + $0 } ?? ""
      Terminal.note("  \(record.label): \(record.status.rawValue)\(why)")
    case .variantReused(let record):
      Terminal.note("  \(record.label): known from \(record.reusedFrom ?? "an earlier run")")
    case .warning(let label, let section, let text, let kind):
      // On a busy machine every variant has the same to say: once is enough, the table marks them all.
      guard warned.insert(kind).inserted else { return }
      Terminal.status("")
      Terminal.note("warning: \(label): \(section): \(text)")
    case .note(let text):
      Terminal.status("")
      Terminal.note("note: " + text)
    }
  }
}
