import Foundation
import TritLab

/// `trit collect`: the runs of one experiment that were shared out, as one.
enum CollectCommand {
  static let folders = ArgumentSpec(
    "folder", help: "Run directories, or folders and globs of them", repeats: true)
  static let allowMissing = OptionSpec(
    flag: "--allow-missing", help: "End with 0 although variants or windows are missing")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "collect", context, overview: "Merge the runs of a sweep that was shared out.",
      discussion: """
        Runs of parts of one experiment ('trit run' with --index, --shard, --only or --chunks, on one machine or \
        many) become one run directory with records, reports and figures, as one run would have written it. Copy \
        their folders to one place first where the machines share none.

        Parts of the windows of a text are joined from the loss of every token, which each part keeps in float64: \
        the figures have the digits of one run. Of a variant that was measured twice, the newest finished record \
        counts.

        What nobody has measured is listed, and the exit code is 1 then, unless --allow-missing says that it may be. \
        Runs that do not belong together (another plan, model, text or program) are refused by name.
        """,
      arguments: [folders],
      groups: [
        OptionGroup("OPTIONS", [RunCommand.output, allowMissing, RunCommand.quiet]),
        OptionGroup("PLUG-INS", [RunCommand.allowPlugins]),
      ],
      json: "one object: directory, records, missing, sources",
      plugins: true,
      examples: [
        ("trit collect runs/study-5c0ffee1", "what the script of --emit has left there"),
        (
          "trit collect /data/node1/* /data/node2/* -o runs",
          "folders that were copied from machines"
        ),
        ("trit collect shards --allow-missing", "what there is so far"),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    guard !arguments.arguments.isEmpty else {
      throw LabError(
        .usage, "nothing to collect", expected: "run directories, or a folder of them",
        advice: "trit collect runs/NAME")
    }
    var options = RunOptions()
    options.outputDirectory = arguments.text(RunCommand.output)
    let context = arguments.context
    let trust = PluginTrust(
      allowsAll: arguments.flag(RunCommand.allowPlugins),
      experiment: arguments.arguments[0] + "/experiment.yaml", watched: context.watched)
    let plugins: ExperimentPlugins = { path, lab in
      try context.approved(path, &lab) { try trust.approve(path, digest: $0) }
    }
    let isQuiet = arguments.flag(RunCommand.quiet)
    let outcome = try RunCollector.collect(
      arguments.arguments, options: options, lab: arguments.lab, plugins: plugins
    ) { event in
      if case .note(let text) = event, !isQuiet { Terminal.note("note: " + text) }
    }
    if !isQuiet {
      Terminal.note(
        "collected \(outcome.run.records.count) records of \(outcome.sources.count) "
          + "run\(outcome.sources.count == 1 ? "" : "s")")
      if arguments.flag(allowMissing) {
        for text in outcome.missing { Terminal.note("missing: " + text) }
      }
    }
    if arguments.isJSON {
      try Terminal.json([
        "directory": .string(outcome.run.directory),
        "records": .array(try RunCommand.records(outcome.run)),
        "missing": .array(outcome.missing.map(JSONValue.string)),
        "sources": .array(outcome.sources.map(JSONValue.string)),
        "files": .array(outcome.run.files.map(JSONValue.string)),
      ])
    } else if isQuiet {
      try Terminal.line(outcome.run.directory)
    } else {
      try RunCommand.show(outcome.run, style: try Style.out(arguments))
    }
    guard outcome.missing.isEmpty || arguments.flag(allowMissing) else {
      let shown = outcome.missing.prefix(20).joined(separator: "\n       ")
      let more = outcome.missing.count > 20 ? "\n       and \(outcome.missing.count - 20) more" : ""
      throw LabError(
        .failure, "the experiment is not whole", at: outcome.run.directory,
        expected: "every variant, and all windows",
        got: "missing: " + shown + more,
        advice:
          "measure them, as with 'trit run FILE --index N', and collect again; or --allow-missing")
    }
  }
}
