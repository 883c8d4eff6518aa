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

  static let jobs = OptionSpec(
    "-j", "--jobs", value: "n",
    help:
      "Processes that measure, which share the threads out; speed is measured alone, at the end",
    default: "1")
  static let index = OptionSpec(
    "--index", value: "i", help: "Run the variant of this number alone, from 0")
  static let shard = OptionSpec(
    "--shard", value: "i/n", help: "Run every n-th variant, the i-th of n shares (i from 1)")
  static let only = OptionSpec(
    "--only", value: "glob",
    help: "Run the variants with such a label ('*int8*'); may be repeated")
  static let chunks = OptionSpec(
    "--chunks", value: "a:b",
    help: "Run these windows of every text alone, from 0 and without b; 'trit collect' joins them")
  static let emit = OptionSpec(
    "--emit", value: "form",
    help: "Print a script that runs the variants one by one: slurm, parallel or make",
    choices: RunScripts.forms)

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

        A sweep can be shared out. -j 2 measures two variants at the same time; two runs of one file share what they \
        measure. --list numbers the variants; --index, --shard and --only run some of them, --chunks some windows of \
        every text; --emit prints the job array, the lines or the Makefile that does so; 'trit collect' merges what \
        they leave, with the digits of one run.

        A file may name plug-ins, 'plugins: [mine.c]', by paths relative to it. They are native code: \
        'trit run' asks once on a terminal and remembers the content of what was allowed; elsewhere \
        --allow-plugins says yes for one run. What lies in a cache of Hugging Face's or in a model's \
        folder is never run. With plug-ins the run has a process of its own: a crash or a hang fails the \
        variant that was at work, and the others go on.
        """,
      arguments: [file],
      groups: [
        OptionGroup("OPTIONS", [list, set, model, force, output, quiet, ModelOptions.threads]),
        OptionGroup("SHARING OUT", [jobs, index, shard, only, chunks, emit]),
        OptionGroup("PLUG-INS", [allowPlugins, pluginTimeout]),
      ],
      json:
        "one object: directory, records, notes; --list: one list of the variants; --emit: form, script",
      plugins: true,
      examples: [
        ("trit run experiments/quickstart.yaml --set model=DIR", "text, perplexity, plots"),
        ("trit run experiments/kernels.yaml --list", "what would run"),
        (
          "trit run study.yaml --set base.quantizer=absmean:group=64 -o /data/runs",
          "one choice changed, records elsewhere"
        ),
        ("trit run study.yaml -j 2 -t 8", "two variants at a time, with 4 threads each"),
        (
          "trit run study.yaml -t 8 --emit slurm > study.sbatch",
          "a job array of a variant each, for 'sbatch'"
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
    try select(arguments, &options)
    let count = try arguments.integer(jobs, in: 1...1024) ?? 1
    if arguments.has(emit) || arguments.flag(list) {
      let plan = try ExperimentPlan(
        path: path, overrides: options.set, lab: arguments.lab, plugins: plugins)
      return arguments.has(emit)
        ? try emit(plan, arguments, options) : try show(plan, arguments, options)
    }
    var loaded: [String] = []
    if context.watched == nil || count > 1 {
      loaded = try ExperimentFile.lab(
        ofFile: path, overrides: options.set, lab: arguments.lab, plugins: plugins
      ).plugins.map(\.path)
    }
    if context.watched == nil, !loaded.isEmpty {
      let supervisor = RunSupervisor(words: words, plugins: loaded, seconds: Double(seconds))
      ProcessEnd.exit(try supervisor.run(allowed: trust.allowed))
    }
    if let watched = context.watched, watched.handover.worker != nil {
      return try ExperimentRunner.work(
        file: path, options: options, lab: arguments.lab, plugins: plugins,
        supervision: watched.supervision, next: WatchedChild.nextOrder)
    }
    let workers = RunWorkers(
      count: count, seconds: loaded.isEmpty ? nil : Double(seconds), plugins: loaded
    ) { handover in
      try WatchedProcess(
        [WatchedRun.word] + words, handover: handover.text, takesOrders: true)
    }
    let isQuiet = arguments.flag(quiet)
    let printer = RunPrinter()
    let outcome = try ExperimentRunner.run(
      file: path, options: options, lab: arguments.lab, plugins: plugins, backend: nil,
      supervision: context.watched?.supervision, workers: count > 1 ? workers : nil,
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
    let unmet = outcome.published.filter { $0.verdict == .fail }
    guard unmet.isEmpty else {
      throw LabError(
        .verdict, "\(unmet.count) of \(outcome.published.count) published figures were not met",
        at: outcome.directory,
        got: unmet.map { one in
          "\(one.label), \(one.figure.title): "
            + (one.measured.map { "\($0), published \(one.figure.value)" } ?? one.reason)
        }.joined(separator: "\n       "), advice: "summary.md there has all of them")
    }
  }
}

extension RunCommand {
  /// The words of this command line, as another process of the program gets them.
  private static var words: [String] {
    let words = Array(CommandLine.arguments.dropFirst())
    return words.first == WatchedRun.word ? Array(words.dropFirst()) : words
  }

  /// Reads which part of the experiment is run.
  private static func select(_ arguments: ParsedArguments, _ options: inout RunOptions) throws {
    options.selection.index = try arguments.integer(index, in: 0...Int.max)
    options.selection.labels = arguments.all(only)
    if let text = arguments.text(shard) {
      guard let share = VariantSelection.Shard(text) else {
        throw ParserError.invalidValue(
          shard, value: text, expected: "i/n with i from 1 to n, as 1/4 … 4/4")
      }
      options.selection.shard = share
    }
    if let text = arguments.text(chunks) {
      guard let windows = WindowSelection(text), windows.isPart, windows.whole == .unknown else {
        throw ParserError.invalidValue(
          chunks, value: text,
          expected:
            "a part of the windows, half open and from 0, as 0:8, 8:16 or 16: (how many at most "
            + "is --set measure.perplexity.chunks=N)")
      }
      options.windows = windows
    }
  }

  /// Prints the script that runs the variants one by one.
  private static func emit(
    _ plan: ExperimentPlan, _ arguments: ParsedArguments, _ options: RunOptions
  ) throws {
    guard let form = try arguments.choice(emit) else { return }
    var words = ["run", arguments.arguments[0]]
    for text in options.set { words += ["--set", text] }
    for path in arguments.all(.plugin) { words += ["--plugin", path] }
    for (flag, isOn) in [
      (force, arguments.flag(force)), (allowPlugins, arguments.flag(allowPlugins)),
    ] where isOn {
      words.append(flag.mainName)
    }
    for option in [chunks, pluginTimeout] {
      if let text = arguments.text(option) { words += [option.mainName, text] }
    }
    let scripts = RunScripts(
      plan: try plan.selecting(options.selection), words: words,
      root: options.outputDirectory ?? "runs",
      threads: options.threads ?? plan.file.threads ?? 1,
      jobs: try arguments.integer(jobs, in: 1...1024))
    let script = try scripts.text(form)
    guard arguments.isJSON else { return try Terminal.out(script) }
    try Terminal.json([
      "form": .string(form), "variants": JSONValue(scripts.plan.variants.count),
      "script": .string(script),
    ])
  }

  /// Prints what `--list` says: number, id, label, whether it is known already, what is chosen.
  private static func show(
    _ plan: ExperimentPlan, _ arguments: ParsedArguments, _ options: RunOptions
  ) throws {
    let plan = try plan.selecting(options.selection)
    let known = ExperimentRunner.known(plan, options: options)
    guard !arguments.isJSON else { return try Terminal.json(document(plan, known)) }
    for variant in plan.variants {
      var choices = variant.overrides.map { "\($0.key)=\($0.value)" }
      if let name = variant.name { choices.insert("name=\(name)", at: 0) }
      let state = known[variant.index].map { $0 ? "reused" : "to do" } ?? "?"
      try Terminal.line(
        [
          "\(variant.index)", variant.id, VisibleText.line(variant.label), state,
          VisibleText.line(choices.joined(separator: " ")),
        ].joined(separator: "\t"))
    }
  }

  /// The same as JSON.
  private static func document(_ plan: ExperimentPlan, _ known: [Int: Bool]) -> JSONValue {
    .array(
      plan.variants.map { variant in
        [
          "index": JSONValue(variant.index), "id": .string(variant.id),
          "name": variant.name.map(JSONValue.string) ?? .null, "label": .string(variant.label),
          "reused": known[variant.index].map(JSONValue.bool) ?? .null,
          "overrides": .object(variant.overrides.map { ($0.key, .string($0.value)) }),
        ]
      })
  }

  /// The records are those of `results.jsonl`.
  static func records(_ outcome: RunOutcome) throws -> [JSONValue] {
    try outcome.records.map { record in
      try JSONReader.read(
        String(decoding: RecordCoding.encode(record), as: UTF8.self), path: "record")
    }
  }

  private static func document(_ outcome: RunOutcome) throws -> JSONValue {
    let records = try records(outcome)
    return [
      "directory": .string(outcome.directory), "interrupted": .bool(outcome.wasInterrupted),
      "reused": JSONValue(outcome.reused), "records": .array(records),
      "notes": .array(outcome.brief.notes.map(JSONValue.string)),
      "files": .array(outcome.files.map(JSONValue.string)),
      "published": .array(
        outcome.published.map { one in
          [
            "variant": .string(one.label), "metric": .string(one.figure.metric),
            "windows": one.figure.windows.map { JSONValue($0) } ?? .null,
            "value": JSONValue(one.figure.value), "tolerance": JSONValue(one.figure.tolerance),
            "source": .string(one.figure.source), "verdict": .string(one.verdict.rawValue),
            "measured": one.measured.map { JSONValue($0) } ?? .null,
            "reason": .string(one.reason),
          ]
        }),
    ]
  }

  /// Prints the short table, what must be said beside it, and where everything else is.
  static func show(_ outcome: RunOutcome, style: Style) throws {
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
    // Paths stay whole, however long: they are there to be copied, and the last line to be read by
    // scripts.
    try Terminal.line("report:  \(outcome.directory)/report.html (and summary.md)")
    try Terminal.line("results: \(outcome.directory)")
  }
}
