import Foundation
import TritLab

/// `trit doctor`: what would make the output of a model garbage.
enum DoctorCommand {
  static let model = ArgumentSpec(
    "model", help: "GGUF file, checkpoint folder, builtin:NAME or hf:ORG/NAME",
    completion: .models)
  static let noRun = OptionSpec(
    flag: "--no-run", help: "Look at headers and tensors alone; no forward pass")
  static let tensors = OptionSpec(
    flag: "--tensors", help: "Print the statistics of every tensor", negatable: true)

  static func spec(_ context: CommandContext) -> CommandSpec {
    let checks = DoctorCheck.allCases.map { "\($0.rawValue): \($0.summary)" }
      .joined(separator: "; ")
    return CommandSpec(
      "doctor", context, overview: "Say what would make a model's output garbage.",
      discussion: """
        Models that every program loads can still write nonsense: a converter left something out, took a scale for its \
        inverse, or a download is damaged. Each finding says what is wrong, with the evidence, what to do, and under which \
        number it is known publicly. It looks for: \(checks).

        Two checks run the model on a short English text (--no-run leaves them out): I2_S codes lie in blocks of 128, in \
        blocks of 64 or four rows a byte, and no file says which; BitNet files run with SiLU or ReLU² by the name of their \
        architecture. The perplexities are printed.

        The table has every tensor: values, share of zeros, entropy of trits in bits (at most 1.585), scales, least and \
        greatest value. Code 2 where something is wrong.
        """,
      arguments: [model],
      groups: [
        OptionGroup("OPTIONS", [noRun, tensors, ModelOptions.tokenizer, ModelOptions.threads])
      ],
      json: "one object: path, container, architecture, findings, trials, notes, tensors",
      examples: [
        ("trit doctor model.gguf", "what is wrong, and every tensor"),
        ("trit doctor hf:ORG/NAME --no-tensors", "what is wrong with a downloaded model"),
        (
          "trit doctor model.gguf --json | jq -r '.findings[].mend'",
          "what to do, for a script; code 2 where there is something"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    var doctor = ModelDoctor()
    doctor.threads = try ModelOptions.threads(arguments)
    doctor.runs = !arguments.flag(noRun)
    doctor.tokenizer = try arguments.text(ModelOptions.tokenizer).map(TokenizeCommand.locate)
    let path = try ModelLocation.resolve(arguments.arguments[0])
    let printer = ProgressPrinter("tensors")
    let result = try doctor.examine(path, progress: printer.show)
    if arguments.isJSON {
      try Terminal.json(document(result))
    } else {
      try show(
        result, showTensors: arguments.flag(tensors, default: true), style: Style.out(arguments))
    }
    let count = result.findings.count
    guard count == 0 else {
      throw LabError(
        .verdict, "\(count == 1 ? "something is" : "\(count) things are") wrong with the model",
        at: path, got: result.findings.map(\.check.rawValue).joined(separator: ", "),
        advice: arguments.isJSON ? "each finding has its mend" : "see what to do above")
    }
  }

  // MARK: Text

  private static func show(
    _ result: ModelExamination, showTensors: Bool, style: Style
  ) throws {
    let width = Terminal.width
    if showTensors, !result.tensors.isEmpty {
      try table(result.tensors, width: width, style: style)
      try Terminal.line()
    }
    let name = result.architecture.isEmpty ? "" : ", \(VisibleText.line(result.architecture))"
    try Terminal.line("\(VisibleText.line(result.path)): \(result.container)\(name)")
    for trial in result.trials {
      try Terminal.line(
        "perplexity of a short text, \(trial.name): " + String(format: "%.4g", trial.perplexity))
    }
    for note in result.notes { try wrapped(note, "", width) }
    for finding in result.findings {
      try Terminal.line()
      try wrapped("\(finding.check.rawValue): \(finding.what)", "", width)
      try wrapped("at:       \(finding.place)", "          ", width)
      try wrapped("evidence: \(finding.evidence)", "          ", width)
      try wrapped("mend:     \(finding.mend)", "          ", width)
      let issues = finding.check.issues
      if !issues.isEmpty {
        try wrapped("known as: \(issues.joined(separator: ", "))", "          ", width)
      }
    }
    if result.findings.isEmpty { try Terminal.line("nothing is wrong") }
  }

  private static func wrapped(_ text: String, _ indent: String, _ width: Int) throws {
    let lines = TextLayout.wrap(VisibleText.line(text), width: max(20, width - indent.count))
    for (index, line) in lines.enumerated() {
      try Terminal.line((index == 0 ? "" : indent) + line)
    }
  }

  private static func table(_ tensors: [TensorSummary], width: Int, style: Style) throws {
    func number(_ value: Double) -> String {
      value.isFinite ? String(format: "%.3g", value) : "–"
    }
    func scale(_ one: TensorSummary) -> String {
      guard let range = one.scaleRange else { return "–" }
      let (low, high) = (number(Double(range.least)), number(Double(range.greatest)))
      return low == high ? low : "\(low)…\(high)"
    }
    let columns: [(String, Int, (TensorSummary) -> String)] = [
      ("type", 2, { $0.info.type.name }),
      ("shape", 5, { $0.info.shape.map(String.init).joined(separator: "×") }),
      ("zeros", 0, { $0.count > 0 ? String(format: "%.1f %%", 100 * $0.zeroShare) : "–" }),
      ("entropy", 3, { $0.entropy.map { String(format: "%.3f", $0) } ?? "–" }),
      ("scale", 1, scale),
      ("least", 4, { number($0.minimum) }), ("greatest", 4, { number($0.maximum) }),
      ("NaN", 6, { $0.nan + $0.infinite > 0 ? "\($0.nan + $0.infinite)" : "–" }),
    ]
    let table = TextTable(
      heading: "tensor", labels: tensors.map { VisibleText.line($0.info.name) },
      columns: columns.map { title, rank, cell in
        TextTable.Column(title: title, cells: tensors.map(cell), rank: rank)
      })
    let (lines, leftOut) = table.lines(width: width, style: style)
    for line in lines { try Terminal.line(line) }
    if !leftOut.isEmpty {
      try wrapped(
        "not shown for want of room (--json has all): " + leftOut.joined(separator: "; "), "", width
      )
    }
  }

  // MARK: JSON

  private static func document(_ result: ModelExamination) -> JSONValue {
    [
      "path": .string(result.path), "container": .string(result.container),
      "architecture": .string(result.architecture),
      "findings": .array(
        result.findings.map { finding in
          [
            "check": .string(finding.check.rawValue), "place": .string(finding.place),
            "what": .string(finding.what), "evidence": .string(finding.evidence),
            "mend": .string(finding.mend),
            "issues": .array(finding.check.issues.map(JSONValue.string)),
          ]
        }),
      "trials": .array(
        result.trials.map {
          ["name": .string($0.name), "perplexity": JSONValue($0.perplexity)]
        }),
      "notes": .array(result.notes.map(JSONValue.string)),
      "tensors": .array(result.tensors.map(tensor)),
    ]
  }

  private static func tensor(_ one: TensorSummary) -> JSONValue {
    let trits: JSONValue =
      one.trits.map {
        [
          "negative": JSONValue($0.negative), "zero": JSONValue($0.zero),
          "positive": JSONValue($0.positive),
        ]
      } ?? .null
    return [
      "name": .string(one.info.name), "type": .string(one.info.type.name),
      "shape": .array(one.info.shape.map { JSONValue($0) }), "values": JSONValue(one.count),
      "zeros": JSONValue(one.zeroShare), "trits": trits,
      "entropy": one.entropy.map { JSONValue($0) } ?? .null,
      "scale_least": one.scaleRange.map { JSONValue($0.least) } ?? .null,
      "scale_greatest": one.scaleRange.map { JSONValue($0.greatest) } ?? .null,
      "scales": JSONValue(one.scales.count),
      "minimum": JSONValue(one.minimum), "maximum": JSONValue(one.maximum),
      "mean_magnitude": JSONValue(one.meanMagnitude), "nan": JSONValue(one.nan),
      "infinite": JSONValue(one.infinite),
      "problem": one.problem.map { .string($0.what) } ?? .null,
    ]
  }
}
